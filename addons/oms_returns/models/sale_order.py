from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.oms_base.tools import open_records

from .oms_return import RETURNING_STATES


class SaleOrder(models.Model):
    _inherit = "sale.order"

    return_line_ids = fields.One2many("oms.return.line", "order_id", string="Return Lines")
    # compute_sudo: also who may read orders and no returns opens an order
    return_count = fields.Integer(string="Returns", compute="_compute_return_count", compute_sudo=True)

    @api.depends("return_line_ids.return_id")
    def _compute_return_count(self):
        for order in self:
            order.return_count = len(order.return_line_ids.return_id)

    @api.depends("return_line_ids.state")
    def _compute_oms_stage(self):
        """Override of `oms_base` to depend on the returns."""
        return super()._compute_oms_stage()

    def _get_oms_stage(self):
        """Override of `oms_base`: goods on their way back."""
        stage = super()._get_oms_stage()
        if stage in ("shipped", "delivered") and any(
            line.state in RETURNING_STATES and line.return_id.type == "return" for line in self.return_line_ids
        ):
            return "returning"
        return stage

    def _oms_lift_for_rehearsal(self):
        """Override of `oms_base`: what came back does not keep a gift from being given anew."""
        self.env["oms.return.line"].flush_model(["order_id"])
        self.env.cr.execute(SQL("DELETE FROM oms_return_line WHERE order_id IN %s", tuple(self.ids)))
        return super()._oms_lift_for_rehearsal()

    def action_view_oms_returns(self):
        """Open the returns of these orders."""
        return open_records(self.return_line_ids.return_id, "oms_returns.oms_return_action")

    def action_create_return(self):
        """Prepare a return of all that may still come back, and open it."""
        oms_return = self.env["oms.return"].create(self._prepare_return_values())
        return oms_return._get_form_action()

    def _prepare_return_values(self):
        """Return the values of a draft return of everything in these orders that can come back."""
        quantities = self.order_line._oms_get_returnable_quantities()
        return {
            "partner_id": self.partner_id[:1].id,
            "company_id": self.company_id[:1].id,
            "line_ids": [
                fields.Command.create({"sale_line_id": line.id, "quantity": quantity})
                for line, quantity in quantities.items()
                if quantity > 0 and line._oms_is_goods()
            ],
        }

    def _oms_lock_for_return(self):
        """Let one transaction at a time decide what may come back from these orders.

        The rows are updated, not only locked: under REPEATABLE READ a transaction that merely waited for the lock would
        go on with quantities read before it. So it fails to serialize, and Odoo runs it again.
        """
        if self.ids:
            self._query_touch()

    def _query_touch(self):
        self.env.cr.execute(
            SQL(
                """
                WITH target AS (SELECT id FROM sale_order WHERE id IN %s ORDER BY id FOR NO KEY UPDATE)
                UPDATE sale_order SET write_date = write_date FROM target WHERE sale_order.id = target.id
                """,
                tuple(self.ids),
            )
        )

    def _oms_can_ask_return(self):
        """Return whether the buyer may ask for a return of the order in the portal, and something can come back."""
        return self._oms_is_open_for_returns() and bool(self._oms_get_portal_return_lines())

    def _oms_is_open_for_returns(self):
        """Return whether returns of the order are asked for in the portal at all."""
        self.ensure_one()
        return bool(self.channel_id) and self.state == "sale" and self.company_id.oms_portal_returns

    def _oms_get_portal_return_lines(self):
        """Return {line: quantity} that the buyer may ask back within the policy."""
        policy = self.env["oms.return.policy"]._find_policies(self)[self]
        if not policy:
            return {}
        goods = self.order_line.filtered(lambda line: line._oms_is_goods())
        quantities = goods._oms_get_returnable_quantities()
        dates = goods._oms_get_delivery_dates()
        return {
            line: quantity
            for line, quantity in quantities.items()
            if quantity > 0 and line in dates and policy._is_returnable(line.product_id, dates[line])
        }

    def _oms_get_refundable_amount(self, but_for=None):
        """Return what the buyer paid for one order, taxes included, less what was or is about to be given back as an
        amount.

        :param but_for: oms.return records whose own amounts are not counted
        """
        self.ensure_one()
        order_sudo = self.sudo()  # sudo: account.move - customer service reads no invoices
        invoiced = credited = 0.0
        for move in order_sudo.invoice_ids:
            # A line without an order line is a fee or cents of the order that the document is for.
            is_alone = move.line_ids.sale_line_ids.order_id <= order_sudo
            lines = move.invoice_line_ids.filtered(
                lambda line, is_alone=is_alone: (
                    line.sale_line_ids.order_id == order_sudo or (is_alone and not line.sale_line_ids)
                )
            )
            if move.move_type == "out_refund" and move.state != "cancel":
                credited += sum(lines.mapped("price_total"))
            elif move.move_type == "out_invoice" and move.state == "posted":
                invoiced += sum(lines.mapped("price_total"))
        returns_sudo = order_sudo.return_line_ids.filtered(lambda line: line.return_id not in (but_for or ()))
        paid = max(invoiced, order_sudo.amount_total + order_sudo.order_line._oms_get_cancelled_amount())
        return paid - credited - sum(returns_sudo.mapped("amount_to_credit"))

    def _oms_is_settled(self):
        """Return whether all goods of the order were given back or refunded."""
        self.ensure_one()
        return all(line._oms_is_settled() for line in self.order_line if line._oms_is_goods())

    def _oms_get_credit_sources(self, kind):
        """Return the lines of this order that are ``kind`` and not invoiced: "goods", "shipping" or "discount"."""
        self.ensure_one()
        return self.order_line.filtered(
            lambda line: line._oms_get_credit_kind() == kind and not line._oms_get_billed_quantity()
        )
