from collections import defaultdict

from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        """Override of `account`: a posted invoice of a channel order may be paid already."""
        posted = super()._post(soft)
        invoices = posted.filtered(lambda move: move.move_type in ("out_invoice", "out_refund"))
        # sudo: sale.order, oms.channel.payment - who posts invoices need not be allowed to read them
        payments = invoices.sudo()._get_channel_orders().channel_payment_ids
        if any(payment.amount_to_book or payment.refund_state == "waiting" for payment in payments):
            payments._trigger_settle()
        return posted

    def _get_channel_orders(self):
        """Return the channel orders that these invoices or credit notes are for."""
        return self.line_ids.sale_line_ids.order_id.filtered("channel_id")

    def _get_refunded_orders(self):
        """Return the channel orders that these credit notes are for; one without links is for those of its invoice."""
        orders = self.env["sale.order"]
        for move in self:
            orders |= move._get_channel_orders() or move.reversed_entry_id._get_channel_orders()
        return orders

    def _get_channel_request_ref(self):
        """Return the shop's id of the buyer's request that this credit note answers, "" where nobody knows. To be
        extended by who keeps it."""
        self.ensure_one()
        return ""

    def _get_channel_refunds(self, is_owed=True):
        """Return what each channel order gets back by this credit note.

        :param is_owed: only what nothing has paid and nothing was set off against, else all of it
        :return: dict {sale.order: {"amount": with tax, "lines": [[line id in the shop, quantity as text], ...]}}
        """
        self.ensure_one()
        orders = self._get_refunded_orders()
        amounts, quantities = defaultdict(float), defaultdict(float)
        for line in self.invoice_line_ids:
            order_line = line.sale_line_ids[:1]
            amounts[order_line.order_id] += line.price_total
            if order_line.channel_line_id and not order_line.is_delivery:
                quantities[order_line] += line._oms_get_refunded_quantity()
        lines = defaultdict(list)
        for order_line, quantity in quantities.items():
            if not order_line.product_uom_id.is_zero(quantity):
                lines[order_line.order_id].append([order_line.channel_line_id, f"{quantity:g}"])
        if len(orders) == 1:
            # All of it is this order's, cents and lines without link included.
            amounts = {orders: self.amount_residual if is_owed else self.amount_total}
        return {order: {"amount": amounts[order], "lines": lines[order]} for order in orders if amounts.get(order)}

    def _reconcile_reversed_moves(self, reverse_moves, move_reverse_cancel):
        """Override of `account`: what the shop has collected and is not booked yet pays the invoice, and what the shop
        gives back pays the credit note. Reconciled with each other they would leave both payments hanging."""
        waiting = reverse_moves.browse()
        if not move_reverse_cancel:
            credit_notes = reverse_moves.filtered(lambda move: move.move_type == "out_refund")
            waiting = credit_notes.filtered(lambda move: move._awaits_shop_payment())
        rest = reverse_moves - waiting
        super(AccountMove, rest.reversed_entry_id)._reconcile_reversed_moves(rest, move_reverse_cancel)
        return reverse_moves

    def _awaits_shop_payment(self):
        """Return whether the invoice of this credit note is going to be paid with money that the shop has already."""
        self.ensure_one()
        # sudo: sale.order, oms.channel.payment - who posts credit notes need not be allowed to read them
        orders_sudo = self.sudo().reversed_entry_id._get_channel_orders()
        return any(orders_sudo.channel_payment_ids._filter_inbound().mapped("amount_to_book"))

    def _get_receivable_lines(self):
        """Return the receivable items of these entries."""
        return self.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
