import dataclasses

from odoo import api, fields, models

from ...adapters.custom import spec
from .const import TARGETS

FIELD_FIELDS = tuple(field.name for field in dataclasses.fields(spec.FieldSpec) if field.name != "values")


class OmsConnectorField(models.Model):
    """What of the shop's answer becomes what of our order: one line of the mapping."""

    _name = "oms.connector.field"
    _inherit = ["oms.cached.mixin"]  # part of `oms.connector._get_spec`
    _description = "Connector Field"
    _order = "connector_id, sequence, id"
    _rec_name = "target"

    connector_id = fields.Many2one("oms.connector", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connector_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=1000)
    target = fields.Selection(TARGETS, string="What We Need", required=True)
    is_required = fields.Boolean(compute="_compute_is_required")
    expression = fields.Char(
        string="Where It Is in the Shop's Answer",
        help="A JMESPath expression, most often just a name or names with dots. Of a line, charge, payment or address "
        "it begins there, not at the order.",
    )
    conversion = fields.Selection(
        [
            ("auto", "As It Is"),
            ("minor", "Amount in Cents"),
            ("percent", "Share to Percent (0.13)"),
            ("date", "Time by a Pattern"),
            ("name", "First and Last Name"),
            ("upper", "Capitals"),
            ("lower", "Small Letters"),
        ],
        default="auto",
        required=True,
    )
    pattern = fields.Char(help="Of the time, for example %d/%m/%Y %H:%M")
    default = fields.Char(help="When the shop says nothing.")
    value_ids = fields.One2many("oms.connector.value", "field_id", string="Value Map", copy=True)
    value_count = fields.Integer(string="Values", compute="_compute_value_count")

    _target_uniq = models.Constraint("UNIQUE(connector_id, target)", "This is mapped already: change that line.")

    @api.depends("target")
    def _compute_is_required(self):
        for field in self:
            target = spec.TARGETS.get(field.target)
            field.is_required = bool(target and target.is_required)

    @api.depends("value_ids")
    def _compute_value_count(self):
        for field in self:
            field.value_count = len(field.value_ids)

    @api.depends("target")
    def _compute_display_name(self):
        targets = dict(self._fields["target"]._description_selection(self.env))
        for field in self:
            field.display_name = targets.get(field.target, "")

    @api.constrains(*FIELD_FIELDS)
    def _check_content(self):
        """Expressions are checked when they are saved."""
        for field in self:
            field.connector_id._check_data({"fields": [field._get_data()]}, field.display_name, is_numbered=False)

    def action_edit_values(self):
        """Open the line with its value map."""
        self.ensure_one()
        return {
            "name": self.env._("Value Map"),
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _get_data(self):
        """Return the plain data of a line, as the engine and the export file have it."""
        self.ensure_one()
        data = self.connector_id._read_data(self, FIELD_FIELDS)
        if self.value_ids:
            data["values"] = {value.source or "": value.result or "" for value in self.value_ids}
        return data


class OmsConnectorValue(models.Model):
    """What one of the shop's words means here."""

    _name = "oms.connector.value"
    _inherit = ["oms.cached.mixin"]  # part of `oms.connector._get_spec`
    _description = "Connector Value"
    _order = "field_id, sequence, id"
    _rec_name = "source"

    field_id = fields.Many2one("oms.connector.field", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="field_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    source = fields.Char(string="The Shop Says", help="Empty: the shop says nothing.")
    result = fields.Char(string="It Means")

    _source_uniq = models.UniqueIndex(
        "(field_id, COALESCE(source, ''))", "This word of the shop is in the map already."
    )
