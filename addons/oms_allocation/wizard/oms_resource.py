from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class OmsResource(models.TransientModel):
    """Source orders again, in bulk and by another strategy or from one warehouse, with a result for each."""

    _name = "oms.resource"
    _description = "Source Again"

    order_ids = fields.Many2many("sale.order", string="Orders", required=True)
    company_id = fields.Many2one("res.company", compute="_compute_company_id")
    strategy_id = fields.Many2one(
        "oms.sourcing.strategy",
        string="By Strategy",
        domain="[('company_id', 'in', (company_id, False))]",
        help="Leave empty to go by the strategy that the orders have.",
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        string="Only From",
        domain="[('company_id', '=', company_id)]",
        help="Leave empty to let the strategy choose, also for orders that were bound to one warehouse before.",
    )
    line_ids = fields.One2many("oms.resource.line", "wizard_id", string="Results", readonly=True)
    is_done = fields.Boolean()
    summary = fields.Char(compute="_compute_summary")

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if self.env.context.get("active_model") == "sale.order":
            values["order_ids"] = [Command.set(self.env.context.get("active_ids", []))]
        return values

    @api.depends("order_ids.company_id")
    def _compute_company_id(self):
        for wizard in self:
            wizard.company_id = wizard.order_ids.company_id[:1]

    @api.depends("line_ids.result")
    def _compute_summary(self):
        for wizard in self:
            results = wizard.line_ids.mapped("result")
            wizard.summary = self.env._(
                "%(moved)s of %(count)s orders are sourced otherwise, %(same)s as before, %(refused)s not at all.",
                moved=results.count("moved"),
                same=results.count("same"),
                refused=results.count("refused"),
                count=len(results),
            )

    def action_apply(self):
        """Source the orders again, each by itself: one that can't be leaves the others alone."""
        self.ensure_one()
        self.order_ids.check_access("write")
        if len(self.order_ids.company_id) > 1:
            raise UserError(self.env._("These orders are of several companies. Source those of one at a time."))
        self.line_ids.unlink()
        # sudo: sale.order, oms.sourcing.strategy - allocations follow the order, which its user may change
        self.order_ids.sudo()._oms_take_turns()
        self.env["oms.resource.line"].create([self._source_again(order) for order in self.order_ids.sorted("id")])
        self.is_done = True
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _source_again(self, order):
        """Source one order again. Return the values of its result."""
        # sudo: sale.order - allocations follow the order, which its user may change
        order_sudo = order.sudo()
        values = {"wizard_id": self.id, "order_id": order.id, "before": order_sudo._oms_get_sources()}
        if problem := order_sudo._oms_get_resourcing_problem():
            return {**values, "result": "refused", "message": problem, "after": values["before"]}
        try:
            with self.env.cr.savepoint():
                if self.strategy_id:
                    order_sudo.oms_strategy_id = self.strategy_id
                if order_sudo.oms_warehouse_id != self.warehouse_id:
                    order_sudo.oms_warehouse_id = self.warehouse_id
                moved = order_sudo._oms_source_again()
        except UserError as error:
            order_sudo.invalidate_recordset()
            return {**values, "result": "refused", "message": str(error), "after": values["before"]}
        after = order_sudo._oms_get_sources()
        return {**values, "result": "moved" if moved else "same", "after": after}


class OmsResourceLine(models.TransientModel):
    _name = "oms.resource.line"
    _description = "Source Again: Result"

    wizard_id = fields.Many2one("oms.resource", required=True, index=True, ondelete="cascade")
    order_id = fields.Many2one("sale.order", required=True, ondelete="cascade")
    before = fields.Char(string="From Before")
    after = fields.Char(string="From Now")
    result = fields.Selection([("moved", "Sourced otherwise"), ("same", "As before"), ("refused", "Refused")])
    message = fields.Char(string="Why")
