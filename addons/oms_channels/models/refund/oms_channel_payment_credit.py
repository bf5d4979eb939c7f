from collections import defaultdict

from odoo import api, models
from odoo.fields import Command

from .oms_channel_payment import INVOICED


class OmsChannelPayment(models.Model):
    """Which credit note explains a refund made in the shop: one that is there, one made for it, or none is needed."""

    _inherit = "oms.channel.payment"

    def _settle_shop_refund(self):
        """Find out what the refund is for; while the order is not invoiced in full and paid in the books, it waits."""
        self.ensure_one()
        order = self.order_id
        moves = order._get_channel_moves()
        invoices = moves.filtered(lambda move: move.move_type == "out_invoice")
        if not invoices:
            self.refund_state = "none" if order.state == "cancel" else "waiting"
            return
        if note := self._find_credit_note(moves):
            self._link_credit_note(note)
            return
        inbound = order.channel_payment_ids._filter_inbound()
        is_invoiced = order.state == "cancel" or order.invoice_status in INVOICED
        if not is_invoiced or "draft" in invoices.mapped("state") or any(inbound.mapped("amount_to_book")):
            return
        due = self.currency_id.round(self.amount - self._get_overpaid_amount(inbound))
        others = moves - invoices
        shares = self._get_creditable(invoices, others)
        left = min(
            sum(invoices.mapped("amount_total")) - sum(others.mapped("amount_total")), sum(shares.values(), start=0.0)
        )
        if self.currency_id.compare_amounts(due, 0.0) <= 0:
            self.refund_state = "overpaid"
        elif (
            self.channel_id.shop_refund_policy == "manual"
            or invoices.currency_id != self.currency_id
            or self.currency_id.compare_amounts(due, left) > 0
        ):
            self.refund_state = "manual"
        else:
            self._create_credit_note(due, invoices, shares)

    def _get_overpaid_amount(self, inbound):
        """Return what was paid and pays nothing, other refunds that are to be taken from it taken off."""
        others = self.order_id.channel_payment_ids.filtered(lambda row: row.refund_state == "overpaid")
        residual = sum(inbound._get_booked_lines().mapped("amount_residual_currency"))
        return -residual - sum(others.mapped("amount_to_book"))

    # === ONE THAT IS THERE === #

    def _find_credit_note(self, moves):
        """Return the order's posted credit note of just this amount that nothing has paid yet: made here for a shop
        that could not be told, or would not do it."""
        taken = self.order_id.channel_payment_ids.refund_move_id
        return (moves - taken).filtered(
            lambda move: (
                move.move_type == "out_refund"
                and move.state == "posted"
                and move.currency_id == self.currency_id
                and self.currency_id.compare_amounts(move.amount_residual, self.amount) == 0
            )
        )[:1]

    def _link_credit_note(self, note):
        """Take ``note`` for what this refund pays. The shop need not be told of it any more."""
        self.write({"refund_state": "credited", "refund_move_id": note.id})
        pushes = self.order_id.channel_push_ids.filtered(
            lambda push: push.kind == "refund" and push.res_id == note.id and push.state == "failed"
        )
        pushes.action_skip()
        pushes.response = self.env._("Paid back in the shop itself.")

    @api.model
    def _take_refund_for(self, order, note, amount):
        """Take a credit note that is just posted for what the shop gave back before, so that it is not paid twice.

        :return: whether the shop has paid ``note`` already
        """
        refunds = order.channel_payment_ids.filtered(lambda row: row.direction == "outbound")
        if note in refunds.refund_move_id:
            return True
        refund = refunds.filtered(lambda row: row._is_paid_by_hand_for(note, amount))[:1]
        if not refund:
            return False
        draft = refund.refund_move_id
        refund._link_credit_note(note)
        # sudo: account.move - our own draft, of which nothing is left to be done
        draft.sudo().unlink()
        self._trigger_settle()
        return True

    def _is_paid_by_hand_for(self, note, amount):
        """Return whether this was given back in the shop, is of this amount, and has no credit note but our draft."""
        self.ensure_one()
        if self.currency_id != note.currency_id or self.currency_id.compare_amounts(self.amount, amount):
            return False
        own = self.refund_move_id
        is_draft = self.refund_state == "credited" and own.state == "draft" and not own.posted_before
        return self.refund_state in ("waiting", "manual") or is_draft

    # === ONE MADE FOR IT === #

    def _create_credit_note(self, due, invoices, left):
        """Credit ``due`` of the order's invoices, and post the credit note where the channel says so.

        :param left: see `_get_creditable`
        """
        lines = self._get_credit_shares(due, left)
        note = self.env["account.move"].create(
            {
                **invoices[:1]._oms_prepare_credit_note_values(
                    self.env._("refunded in %(channel)s", channel=self.channel_id.name)
                ),
                "reversed_entry_id": invoices.id if len(invoices) == 1 else False,
                "invoice_line_ids": [Command.create(self._prepare_credit_line_values(*line)) for line in lines],
            }
        )
        cents = self.currency_id.round(due - note.amount_total)
        if cents:
            note._oms_add_cents(cents)
        self.write({"refund_state": "credited", "refund_move_id": note.id})
        if self.channel_id.shop_refund_policy == "posted":
            note._post(soft=False)

    def _get_creditable(self, invoices, others):
        """Return {invoice line of this order: what of it is not credited, with tax}. An invoice may be for several.

        :param others: the order's credit notes so far
        """
        order, currency = self.order_id, self.currency_id
        credited = defaultdict(float)
        for line in others.invoice_line_ids:
            credited[line.sale_line_ids[:1]] += line.price_total
        left = {}
        for line in invoices.invoice_line_ids.filtered(lambda line: line.display_type == "product"):
            if line.sale_line_ids.order_id in (order, order.browse()):
                closest = min if line.price_total > 0 else max
                taken = closest(credited[line.sale_line_ids[:1]], line.price_total)
                credited[line.sale_line_ids[:1]] -= taken
                left[line] = currency.round(line.price_total - taken)
        return left

    def _get_credit_shares(self, due, left):
        """Return [(invoice line, its share of ``due`` with tax, whether that is all of it), ...].

        What the buyer asked back in the shop says which goods it is for; without that all share what is not credited.

        :param left: see `_get_creditable`
        """
        order, currency = self.order_id, self.currency_id
        asked = order._get_request_line_ids(self.request_ref)
        chosen = {line: rest for line, rest in left.items() if line.sale_line_ids[:1].channel_line_id in asked}
        if currency.compare_amounts(sum(chosen.values()), due) < 0 or not chosen:
            chosen = left
        total = sum(chosen.values())
        shares = {line: currency.round(due * rest / total) for line, rest in chosen.items()}
        largest = max(shares, key=lambda line: shares[line])
        shares[largest] = currency.round(shares[largest] + due - sum(shares.values()))
        return [
            (line, amount, currency.compare_amounts(amount, line.price_total) == 0)
            for line, amount in shares.items()
            if not currency.is_zero(amount)
        ]

    def _prepare_credit_line_values(self, line, amount, is_all):
        """Return the values of the credit note's line for a share of an invoice line. None of it is invoiced again: the
        goods are with the buyer, or the order is cancelled."""
        if is_all:
            return line._oms_prepare_credit_values(line.quantity, oms_is_money_only=True)
        return line._oms_prepare_credit_values(
            1.0,
            product_id=False,
            product_uom_id=False,
            price_unit=line.tax_ids._oms_get_price(amount, line.product_id, self.currency_id, line.extra_tax_data),
            discount=0.0,
            oms_is_money_only=True,
        )
