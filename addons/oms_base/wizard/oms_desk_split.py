from odoo import api, fields, models


class OmsDeskSplit(models.TransientModel):
    """Split the orders of many cases: by what."""

    _name = "oms.desk.split"
    _description = "Split Orders"

    hold_ids = fields.Many2many("oms.hold", string="Cases")
    kind = fields.Selection("_get_kinds", string="Split By", required=True, default="shortage")
    limit = fields.Float(help="What one parcel may weigh or be worth at most.")

    @api.model
    def _get_kinds(self):
        kinds = self.env["oms.delivery.split"]._fields["kind"]._description_selection(self.env)
        return [(kind, label) for kind, label in kinds if kind != "lines"]  # each order has lines of its own

    def action_split(self):
        """Split them, and hand the desk the result of each."""
        self.ensure_one()
        answers = self.env["oms.review.desk"].split(self.hold_ids.sorted("id").ids, self.kind, self.limit)
        return {"type": "ir.actions.act_window_close", "infos": {"answers": answers}}
