from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_amount

from odoo.addons.oms_base.tools import work_undisturbed

from ...tools import try_apart

# Pushes that make the shop give money back.
REFUNDING = ("refund", "cancel", "cancel_lines")
# Values of invoice_status when nothing is left to be invoiced.
INVOICED = ("invoiced", "upselling")


class OmsChannelPayment(models.Model):
    """Money that was given back in the shop itself: found, told, and explained.

    What the shop says it gave back, beyond what it gave back for our credit notes, is a row of its own. That is decided
    in a transaction that begins after the shop was read: a push that is on its way is seen there, and waited for.
    """

    _inherit = "oms.channel.payment"

    is_refund_new = fields.Boolean(readonly=True, copy=False)
    refund_state = fields.Selection(
        [
            ("waiting", "Waits for the Invoice"),
            ("credited", "Has a Credit Note"),
            ("overpaid", "More Was Paid Than Invoiced"),
            ("manual", "To Credit by Hand"),
            ("none", "Nothing to Book"),
        ],
        string="Refund in the Shop",
        readonly=True,
        copy=False,
        help="How money that was given back in the shop itself is accounted for.",
    )

    request_ref = fields.Char(string="Buyer's Request", readonly=True, copy=False)

    _refund_new_idx = models.Index("(id) WHERE is_refund_new IS TRUE")
    _refund_waiting_idx = models.Index("(id) WHERE refund_state = 'waiting'")

    # === WHAT THE SHOP TELLS === #

    @api.model
    def _note_refunded(self, order, refunded):
        """Keep what a shop gave back when it cancelled an order for us.

        :param refunded: {id of the payment in the shop: amount as text}
        """
        for payment in order.channel_payment_ids._filter_inbound():
            amount = float(refunded.get(payment.external_id) or 0)
            if amount > payment.refunded_amount:
                is_all = payment.currency_id.compare_amounts(amount, payment.captured_amount) >= 0
                payment.write(
                    {
                        "refunded_amount": amount,
                        "is_refund_new": True,
                        "state": "refunded" if is_all else "partially_refunded",
                    }
                )
        if any(order.channel_payment_ids.mapped("is_refund_new")):
            self._trigger_settle()

    # === WITH UNITS THAT ARE CREDITED === #

    def _keep_for_credit_note(self):
        """Keep what the shop has just given back with units that were taken off: a credit note is made for them, and it
        is this money that pays it."""
        self.filtered("is_refund_new")._find_shop_refunds().refund_state = "credited"

    def _take_for_credit_note(self, note):
        """Let what was given back with units pay ``note``, which is the credit note for them.

        :return: how much of it the shop has paid by now
        """
        outbound = self - self._filter_inbound()
        kept = outbound.filtered(
            lambda row: (
                row.refund_state == "credited" and not row.refund_move_id and row.currency_id == note.currency_id
            )
        )
        if kept:
            kept.refund_move_id = note
            self._trigger_settle()
        return sum(outbound.filtered(lambda row: row.refund_move_id == note).mapped("amount"))

    @api.model
    def _ask_to_pay_back(self, order, result):
        """Have a person pay back what a shop has only written down.

        :param result: PushResult; ``data["by_hand"]`` says how much, and by what it was paid
        """
        if not (by_hand := result.data.get("by_hand")):
            return
        amount = format_amount(self.env, float(by_hand["amount"]), order.currency_id)
        order._oms_schedule_activity(
            self.env._("Pay the buyer back by hand: %(amount)s", amount=amount),
            self.env._(
                "The shop has only noted the refund: %(provider)s gives no money back through it. Pay it back there.",
                provider=by_hand["provider"] or self.env._("the way of payment"),
            ),
        )

    # === BACKGROUND WORK === #

    @api.model
    def _get_refund_domain(self):
        """Return the domain of the refunds that can be looked at now: new ones, unless a push of ours may be making
        them at this moment, and those whose order is invoiced by now."""
        ours = Domain("kind", "in", REFUNDING) & Domain("state", "=", "pending")
        is_new = Domain("is_refund_new", "=", True) & Domain("order_id", "not any", [("channel_push_ids", "any", ours)])
        is_invoiced = Domain("order_id.state", "=", "cancel") | Domain("order_id.invoice_status", "in", INVOICED)
        is_due = Domain("next_try", "=", False) | Domain("next_try", "<=", fields.Datetime.now())
        return is_new | (Domain("refund_state", "=", "waiting") & is_invoiced & is_due)

    @api.model
    def _cron_follow_refunds(self, limit=500):
        """Follow the refunds made in shops, order by order. :return: whether there were any"""
        domain, cron = self._get_refund_domain(), self.env["ir.cron"]
        rows = self.search(domain, limit=limit, order="id")
        if rows:
            cron._commit_progress(remaining=self.search_count(domain))
        for order, order_rows in rows.grouped("order_id").items():
            order_rows = order_rows.with_company(order.company_id)
            if not work_undisturbed(self.env, partial(order_rows._follow_refunds, domain)):
                self._get_settle_cron()._oms_come_back(order_rows)
            if not cron._commit_progress(len(order_rows)):
                break
        return bool(rows)

    def _follow_refunds(self, domain):
        """Follow the refunds of one order; an error stays with its row."""
        rows = self._get_settle_cron()._oms_lock_due(self, domain)
        new = rows.filtered("is_refund_new")
        found = new._find_shop_refunds()
        for row in found | (rows - new):
            if error := try_apart(row, row._settle_shop_refund):
                row._write_booking_error(error)
        for row in found:
            row._tell_shop_refund()

    def _find_shop_refunds(self):
        """Make a row of what the shop gave back beyond what is known. Read again it is the same row.

        :return: the new rows
        """
        vals_list = []
        for order in self.order_id:
            for currency, payments in order.channel_payment_ids.grouped("currency_id").items():
                inbound = payments._filter_inbound()
                given = currency.round(sum(inbound.mapped("refunded_amount")))
                outbound = payments - inbound
                amount = currency.round(given - sum(outbound.mapped("amount")))
                # A refund of ours that went out in the buyer's currency may come back a cent off.
                if currency.compare_amounts(amount, currency.rounding * len(outbound)) > 0:
                    vals_list.append(self._prepare_shop_refund_values(order, inbound, amount, given))
        self.is_refund_new = False
        return self.create(vals_list)

    @api.model
    def _prepare_shop_refund_values(self, order, inbound, amount, given):
        currency = inbound.currency_id
        return {
            "channel_id": order.channel_id.id,
            "order_id": order.id,
            "direction": "outbound",
            # The sum given back so far makes it unique, and the same whenever it is read.
            "external_id": f"{inbound[0].external_id}-refunded-{given:.{currency.decimal_places}f}",
            "provider": inbound[0].provider,
            "state": "refunded",
            "currency_id": currency.id,
            "amount": amount,
            "date": fields.Datetime.now(),
            "refund_state": "waiting",
            "request_ref": order._find_granted_request(amount),
        }

    # === TELLING === #

    def _tell_shop_refund(self):
        """Log the refund, keep back what has not left, and ask a person for what is left to do."""
        self.ensure_one()
        order = self.order_id
        amount = format_amount(self.env, self.amount, self.currency_id)
        order._oms_log_event("shop_refunded", document=self, message=amount)
        if self.refund_state == "none":
            return  # cancelled before anything was booked
        is_asked = any(push.kind == "cancel_lines" and push.state == "done" for push in order.channel_push_ids)
        if is_asked and self.refund_state in ("waiting", "overpaid") and not order._is_paid_too_little():
            return  # the money of units that were taken off here
        if order.state != "cancel" and not order._has_left() and order._is_paid_too_little():
            reason = self.env._("%(amount)s were given back in the shop before all goods have left.", amount=amount)
            order._place_shop_hold(reason, {"refunded": amount})
        order._oms_schedule_activity(
            self.env._("Refunded in the shop: %(amount)s", amount=amount), self._describe_refund_state()
        )

    def _describe_refund_state(self):
        """Return what became of the refund and what is left to do, as a sentence."""
        self.ensure_one()
        note = self.refund_move_id
        if note.state == "posted":
            return self.env._("Credit note %(note)s is for it: nothing is left to be done.", note=note.name)
        if note:
            return self.env._("A credit note is prepared for it: check and post it.")
        return {
            "waiting": self.env._("It is credited once the order is invoiced and its payment is booked."),
            "overpaid": self.env._("More was paid than invoiced, so it needs no credit note."),
        }.get(self.refund_state, self.env._("Make a credit note of this amount: it is taken for this refund."))
