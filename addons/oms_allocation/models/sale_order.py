from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.tools import notification


class SaleOrder(models.Model):
    """What a person sees of the allocation of an order, and does about it."""

    _inherit = "sale.order"

    oms_allocation_ids = fields.One2many("oms.allocation", "order_id", string="Allocations", copy=False)
    oms_allocation_why = fields.Html(
        string="Why From There",
        compute="_compute_oms_allocation_why",
        sanitize=False,
        help="The latest choice, explained.",
    )
    oms_short_quantity = fields.Float(
        string="Waiting for Stock",
        digits="Product Unit",
        compute="_compute_oms_short_quantity",
        compute_sudo=True,  # who may read the order may know what it waits for
        help="Quantity of a confirmed order that no warehouse had when it was allocated.",
    )

    # === COMPUTE METHODS === #

    @api.depends("oms_allocation_ids.shortage_quantity")
    def _compute_oms_short_quantity(self):
        for order in self:
            order.oms_short_quantity = sum(order.oms_allocation_ids.mapped("shortage_quantity"))

    @api.depends("oms_decision_ids.kind")
    def _compute_oms_allocation_why(self):
        for order in self:
            decision = order.oms_decision_ids.filtered(lambda decision: decision.kind == "allocation").sorted("id")[-1:]
            order.oms_allocation_why = (
                self.env["ir.qweb"]._render("oms_allocation.allocation_why", self._prepare_why_values(decision.data))
                if decision
                else False
            )

    # === ACTION METHODS === #

    def action_oms_allocate(self):
        """Look again for a warehouse that has what these orders wait for; orders on hold are passed over."""
        if len(self) == 1:
            self._oms_check_gate("allocate")
        orders = self._oms_filter_open("allocate").filtered(
            lambda order: order.channel_id and order.state == "sale" and not order.locked
        )
        orders.check_access("write")
        # sudo: oms.allocation - nobody writes allocations by hand
        changed = orders.sudo()._oms_reallocate()
        message = self.env._(
            "%(changed)s of %(count)s orders get goods that they waited for.", changed=len(changed), count=len(self)
        )
        return notification(message, "success" if changed else "info")

    def action_view_oms_allocations(self):
        """Open the allocations of these orders."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_allocation_action")
        return {**action, "domain": [("order_id", "in", self.ids)], "context": {}}

    def _action_cancel(self):
        """Override of `sale`: what was not shipped is not allocated any more, and free for those who wait."""
        res = super()._action_cancel()
        # sudo: oms.allocation - nobody writes allocations by hand
        allocations_sudo = self.sudo().oms_allocation_ids
        for allocation in allocations_sudo.filtered(lambda allocation: allocation.state in ("planned", "procured")):
            allocation.write(
                {
                    "quantity": allocation.done_quantity,
                    "procured_quantity": allocation.done_quantity,
                    "shortage_quantity": 0.0,
                }
            )
        self._oms_clear_filled()
        if allocations_sudo:
            self._oms_trigger_reallocation(allocations_sudo.product_id)
        return res

    # === BACKGROUND === #

    @api.model
    def _oms_trigger_reallocation(self, products):
        """Have the orders that wait for ``products`` looked at in the background."""
        if self._oms_is_waited_for(products):
            self.env.ref("oms_allocation.ir_cron_reallocate")._trigger()

    @api.model
    def _oms_is_waited_for(self, products):
        """Whether an order waits for one of ``products``."""
        domain = self._get_short_domain() & Domain("product_id", "in", products.ids)
        # sudo: oms.allocation - whoever brings the goods, those who wait for them are asked
        return bool(self.env["oms.allocation"].sudo().search_count(domain, limit=1))

    @api.model
    def _get_short_domain(self):
        """Return the domain of the allocations that wait for stock."""
        return Domain("shortage_quantity", ">", 0) & Domain("state", "in", ("planned", "procured"))

    @api.model
    def _get_reallocation_queue_domain(self):
        """Return the domain of the orders that wait for stock."""
        return (
            Domain("state", "=", "sale")
            & Domain("locked", "=", False)
            & Domain("oms_allocation_ids", "any", self._get_short_domain())
        )

    @api.model
    def _cron_reallocate_orders(self):
        """Look for stock for the orders that wait, the oldest first; a batch that fails is done one by one."""
        domain = self._get_reallocation_queue_domain()
        queue = self.search(domain, order="id")
        queue._oms_work_queue(domain, "_oms_reallocate_open", "_oms_reallocate_one")

    def _oms_reallocate_open(self):
        """Reallocate those of these orders that no hold keeps from it."""
        return self._oms_filter_open("allocate")._oms_reallocate()

    def _oms_reallocate_one(self):
        """Reallocate one order, or put it on hold with the error, so that it neither blocks others nor is lost."""
        self._oms_do_or_hold(self._oms_reallocate_open)
