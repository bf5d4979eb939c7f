from odoo import api, fields, models


class OmsRuleAction(models.Model):
    """Action "strategy": how the warehouses of the order are chosen."""

    _inherit = "oms.rule.action"

    type = fields.Selection(
        selection_add=[("strategy", "Set the sourcing strategy"), ("route",)], ondelete={"strategy": "cascade"}
    )
    strategy_id = fields.Many2one(
        "oms.sourcing.strategy", string="Sourcing Strategy", ondelete="restrict", index="btree_not_null"
    )

    @api.model
    def _get_needed_fields(self):
        return super()._get_needed_fields() | {"strategy": ["strategy_id"]}

    @api.model
    def _get_content_fields(self):
        return [*super()._get_content_fields(), "strategy_id"]

    @api.model
    def _get_written_fields(self):
        return super()._get_written_fields() | {"strategy": ["strategy_id"]}

    def _get_references(self):
        return [self.strategy_id] if self.type == "strategy" else super()._get_references()

    def _get_verdict(self):
        return (self.type, self.strategy_id.id) if self.type == "strategy" else super()._get_verdict()

    def _run_strategy(self, orders):
        """Give the orders the strategy; those that have their warehouses already keep them until they are sourced
        again."""
        company = self.strategy_id.company_id
        todo = orders.filtered(
            lambda order: (
                order.oms_strategy_id != self.strategy_id and company in (order.company_id, self.env["res.company"])
            )
        )
        if todo:
            todo.oms_strategy_id = self.strategy_id

    def _describe_strategy(self):
        return self.env._("source it by “%(strategy)s”", strategy=self.strategy_id.name)
