from odoo import fields, models
from odoo.tools import file_open


class OmsConnectorReady(models.Model):
    """A connector that is ready to be installed and then changed. What it says stands in a data file; a record only
    says where, so that an addon brings one of its own with one file and one record."""

    _name = "oms.connector.ready"
    _description = "Ready Connector"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True, readonly=True)
    code = fields.Char(required=True, readonly=True)
    description = fields.Text(translate=True, readonly=True)
    path = fields.Char(required=True, readonly=True, help="Data file of the connector, inside an addon.")
    sequence = fields.Integer(default=10)
    connector_id = fields.Many2one("oms.connector", string="Installed As", compute="_compute_connector_id")

    _code_uniq = models.Constraint("UNIQUE(code)", "There is a ready connector of this code already.")

    def _compute_connector_id(self):
        found = self.env["oms.connector"].search([("code", "in", self.mapped("code"))]).grouped("code")
        for ready in self:
            ready.connector_id = found.get(ready.code, self.env["oms.connector"])[:1]

    def action_install(self):
        """Make a connector of it, unless there is one, and open it."""
        self.ensure_one()
        connector = self.connector_id or self.env["oms.connector"]._import(self._read_file())
        return connector._open_form()

    def _read_file(self):
        with file_open(self.path, "rb") as file:
            return file.read()
