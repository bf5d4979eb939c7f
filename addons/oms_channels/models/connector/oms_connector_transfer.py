import base64

from odoo import fields, models
from odoo.exceptions import UserError


class OmsConnectorTransfer(models.TransientModel):
    """A connector in a file, on its way out of this database or into it."""

    _name = "oms.connector.transfer"
    _description = "Import of a Connector"

    file = fields.Binary(attachment=False)
    file_name = fields.Char()
    mode = fields.Selection(
        [("new", "As a New Connector"), ("update", "Update the One of the Same Code")],
        string="Import",
        default="new",
        required=True,
        help="Updating replaces calls and mapping; channels keep their keys.",
    )
    code = fields.Char(help="Of the new connector. Empty: as the file says.")

    def action_import(self):
        """Make a connector of the file, or change the one it is a newer state of, and open it."""
        self.ensure_one()
        content = base64.b64decode(self.file or b"")
        if not content:
            raise UserError(self.env._("Choose a file with a connector first."))
        Connector = self.env["oms.connector"]
        meta, connector_spec = Connector._read_export(content)
        if self.mode == "update":
            connector = Connector._find_by_code(meta["code"])
            if not connector:
                raise UserError(
                    self.env._("There is no connector “%(code)s” to update: import it as new.", code=meta["code"])
                )
            Connector._import(content, connector)
        elif self.code:
            connector = Connector._create_from(({**meta, "code": self.code}), connector_spec)
        else:
            connector = Connector._import(content)
        return connector._open_form()
