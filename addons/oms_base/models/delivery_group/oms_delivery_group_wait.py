from datetime import timedelta

from odoo import api, fields, models


class OmsDeliveryGroup(models.Model):
    """Waiting for the others: orders that were put into one parcel are asked of the warehouse together, once all of
    them are confirmed; or when the time that their channel gives the late ones is up."""

    _inherit = "oms.delivery.group"

    wait_until = fields.Datetime(
        string="Waits for the Others Until",
        readonly=True,
        help="Until then what is confirmed waits for the orders of the parcel that are not.",
    )
    late_order_ids = fields.Many2many("sale.order", string="Waits For", compute="_compute_late_order_ids")

    @api.depends("line_ids.order_id.state", "line_ids.order_id.oms_is_launch_pending")
    def _compute_late_order_ids(self):
        for group in self:
            group.late_order_ids = group.order_ids.filtered(
                lambda order: order.state in ("draft", "sent") or order.oms_is_launch_pending
            )

    def action_launch(self):
        """Override: who launches a group does not want it to wait for anybody."""
        self.order_ids.check_access("write")
        # sudo: oms.delivery.group - as in the method this overrides
        self.sudo().filtered("is_waiting").wait_until = fields.Datetime.now()
        return super().action_launch()

    def _await_others(self):
        """Have these groups wait while some of their orders are late, and no longer once none is.

        Called before anything of them is asked of the warehouse; whoever does asks for all that is confirmed then.
        """
        now = fields.Datetime.now()
        for group in self:
            late = group.late_order_ids
            if group.is_waiting:
                if group.wait_until and (not late or group.wait_until <= now):
                    group.is_waiting = False
            elif late and late != group.order_ids and (not group.wait_until or group.wait_until > now):
                group._start_waiting(now)

    def _start_waiting(self, now):
        self.ensure_one()
        hours = min(self.order_ids.channel_id.mapped("merge_wait_hours"), default=0.0)
        if hours <= 0 or self._get_release_problem():
            return
        self.line_ids._withdraw_moves()
        self.write({"is_waiting": True, "wait_until": self.wait_until or now + timedelta(hours=hours)})
        # sudo: ir.cron - waking it is all that is done
        self.env.ref("oms_base.ir_cron_launch_groups").sudo()._trigger(at=self.wait_until)

    def _get_held_back_lines(self):
        """Return the order lines of these groups, which waited for others, that nothing was asked for yet."""
        rows = self.filtered(lambda group: group.wait_until and not group.is_waiting).line_ids
        return rows.filtered(
            lambda row: row.line_id.state == "sale" and row.uom_id.compare(row._get_pending_quantity(), 0.0) > 0
        ).line_id
