from odoo import api, fields, models


class OmsRuleAction(models.Model):
    """Action "carrier": who brings the order to the buyer."""

    _inherit = "oms.rule.action"

    type = fields.Selection(
        selection_add=[("carrier", "Set the carrier"), ("webhook",)], ondelete={"carrier": "cascade"}
    )
    carrier_id = fields.Many2one("delivery.carrier", ondelete="restrict", index="btree_not_null")

    @api.model
    def _get_needed_fields(self):
        return super()._get_needed_fields() | {"carrier": ["carrier_id"]}

    @api.model
    def _get_content_fields(self):
        return [*super()._get_content_fields(), "carrier_id"]

    @api.model
    def _get_written_fields(self):
        return super()._get_written_fields() | {"carrier": ["carrier_id"]}

    def _get_references(self):
        return [self.carrier_id] if self.type == "carrier" else super()._get_references()

    def _get_verdict(self):
        return (self.type, self.carrier_id.id) if self.type == "carrier" else super()._get_verdict()

    def _run_carrier(self, orders):
        """Set the carrier of orders nobody has begun to pick, and of the transfers they have."""
        carrier = self.carrier_id
        todo = orders._oms_filter_unreleased().filtered(
            lambda order: (
                order.carrier_id != carrier and carrier.company_id in (order.company_id, self.env["res.company"])
            )
        )
        if todo:
            todo.carrier_id = carrier
            todo._oms_follow_carrier()

    def _describe_carrier(self):
        return self.env._("send it with %(carrier)s", carrier=self.carrier_id.name)
