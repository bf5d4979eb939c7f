from datetime import UTC, timedelta
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.oms_base.tools import work_undisturbed

from ..tools import try_apart

RETRY_MINUTES = 60
STATES = [
    ("pending", "Pending"),
    ("authorized", "Authorised"),
    ("captured", "Captured"),
    ("partially_refunded", "Partly Refunded"),
    ("refunded", "Refunded"),
    ("cancelled", "Cancelled"),
]
# What may be told otherwise later.
CHANGING = ("state", "captured_amount", "refunded_amount", "fee_amount", "is_refund_new")


class OmsChannelPayment(models.Model):
    """Money that the shop took from a buyer or gave back, and the payments it is booked as.

    A captured payment is booked in the channel's journal once the order has a posted invoice, what is captured later as
    another payment; a refund once the shop has made it. All are reconciled with what they pay.
    """

    _name = "oms.channel.payment"
    _description = "Channel Payment"
    _order = "id desc"
    _rec_name = "external_id"
    _check_company_auto = True

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade", readonly=True)
    direction = fields.Selection(
        [("inbound", "From the Buyer"), ("outbound", "To the Buyer")], required=True, default="inbound", readonly=True
    )
    external_id = fields.Char(string="ID in the Shop", required=True, readonly=True)
    provider = fields.Char(string="Paid With", readonly=True)
    state = fields.Selection(STATES, required=True, readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    amount = fields.Monetary(readonly=True)
    captured_amount = fields.Monetary(string="Captured", readonly=True)
    refunded_amount = fields.Monetary(string="Refunded", readonly=True)
    fee_amount = fields.Monetary(
        string="Provider's Fee", readonly=True, help="What the payment provider keeps, where the shop tells."
    )
    date = fields.Datetime(readonly=True)
    refund_move_id = fields.Many2one(
        "account.move", string="Credit Note", readonly=True, index="btree_not_null", check_company=True
    )
    payment_ids = fields.One2many("account.payment", "oms_channel_payment_id", string="Booked As", readonly=True)
    booked_amount = fields.Monetary(string="Booked", compute="_compute_booked", store=True)
    amount_to_book = fields.Monetary(string="To Book", compute="_compute_booked", store=True)
    last_error = fields.Char(readonly=True, copy=False)
    next_try = fields.Datetime(readonly=True, copy=False)

    # Shops count payments within an order, and refunds apart from payments.
    _external_uniq = models.Constraint(
        "UNIQUE(channel_id, external_id, order_id, direction)", "This payment of the shop is already there."
    )
    _to_book_idx = models.Index("(id) WHERE amount_to_book > 0")

    # === COMPUTE METHODS === #

    @api.depends("direction", "amount", "captured_amount", "payment_ids.amount")
    def _compute_booked(self):
        """What is captured after a booking is left to be booked. A payment deleted here is booked anew."""
        for payment in self:
            booked = sum(payment.payment_ids.mapped("amount"))
            total = payment.captured_amount if payment.direction == "inbound" else payment.amount
            payment.booked_amount = booked
            payment.amount_to_book = payment.currency_id.round(max(total - booked, 0.0))

    # === ACTION METHODS === #

    def action_retry(self):
        """Have these tried again at once."""
        self.filtered("amount_to_book").write({"last_error": False, "next_try": False})
        self._trigger_settle()
        return True

    def _filter_inbound(self):
        """Return what came from buyers."""
        return self.filtered(lambda payment: payment.direction == "inbound")

    # === WHAT THE SHOP TELLS === #

    @api.model
    def _sync(self, pairs):
        """Keep what the shop tells of its payments. Captured and refunded amounts only ever grow: an older message
        can't take money back.

        :param pairs: list of (sale.order, ChannelOrder)
        """
        told = {(order, payment.external_id): (order, payment) for order, shop in pairs for payment in shop.payments}
        if not told:
            return
        known = self.search([("order_id", "in", [order.id for order, _key in told]), ("direction", "=", "inbound")])
        rows = {(row.order_id, row.external_id): row for row in known}
        currencies = {
            currency.name: currency
            for currency in self.env["res.currency"].search([("name", "in", [told[key][1].currency for key in told])])
        }
        vals_list, paid, has_grown = [], self.env["sale.order"], False
        for key, (order, payment) in told.items():
            row = rows.get(key, self.browse())
            vals = self._prepare_payment_values(order, payment, currencies, row)
            if vals["captured_amount"] and not row.captured_amount:
                paid |= order
            has_grown |= vals["captured_amount"] > row.captured_amount and bool(order.invoice_ids)
            if vals["refunded_amount"] > row.refunded_amount:
                vals["is_refund_new"] = has_grown = True
            if not row:
                vals_list.append(vals)
            elif changed := {name: value for name, value in vals.items() if name in CHANGING and row[name] != value}:
                row.write(changed)
        self.create(vals_list)
        paid._oms_log_event("paid")
        if has_grown:
            self._trigger_settle()

    @api.model
    def _prepare_payment_values(self, order, payment, currencies, row):
        currency = currencies.get(payment.currency) or order.currency_id
        if payment.currency and currency.name != payment.currency:
            raise UserError(
                self.env._(
                    "The currency %(currency)s is not active. Activate it, then retry.", currency=payment.currency
                )
            )
        captured = max(float(payment.captured_amount), row.captured_amount)
        if payment.is_by_total and row.captured_amount:
            captured = row.captured_amount  # by what the order costs more since, nothing came
        refunded = max(float(payment.refunded_amount), row.refunded_amount)
        return {
            "channel_id": order.channel_id.id,
            "order_id": order.id,
            "external_id": payment.external_id,
            "provider": payment.provider,
            "state": row.state if row.captured_amount and not payment.captured_amount else payment.state,
            "currency_id": currency.id,
            "amount": float(payment.amount),
            "captured_amount": captured,
            "refunded_amount": refunded,
            "fee_amount": max(float(payment.fee_amount), row.fee_amount),
            "date": payment.date.astimezone(UTC).replace(tzinfo=None, microsecond=0) if payment.date else False,
        }

    @api.model
    def _record_refund(self, push, notice, result):
        """Keep a refund the shop has made for us, to be booked and reconciled with its credit note.

        :param push: oms.channel.push of kind refund
        :param notice: RefundNotice
        :param result: PushResult
        """
        external_id = result.external_id or push.idempotency_key
        inbound = push.order_id.channel_payment_ids._filter_inbound()
        if external_id in (push.order_id.channel_payment_ids - inbound).mapped("external_id"):
            return
        move = push._get_document()
        self.create(
            {
                "channel_id": push.channel_id.id,
                "order_id": push.order_id.id,
                "direction": "outbound",
                "external_id": external_id,
                "provider": inbound[:1].provider,
                "state": "refunded",
                "currency_id": move.currency_id.id,
                "amount": float(notice.amount),
                "date": fields.Datetime.now(),
                "refund_move_id": move.id,
            }
        )
        self._trigger_settle()

    # === BOOKING === #

    @api.model
    def _trigger_settle(self):
        """Wake the background work that invoices orders and books payments."""
        if cron := self._get_settle_cron():
            cron.sudo()._trigger()  # sudo: ir.cron - waking it is all it can do

    @api.model
    def _get_settle_cron(self):
        """Return the cron that settles; none while the addon is being installed or removed."""
        return self.env.ref("oms_channels.ir_cron_settle", raise_if_not_found=False) or self.env["ir.cron"]

    @api.model
    def _cron_settle(self):
        """Invoice what is due, book the payments of what is invoiced, then credit and book what shops gave back."""
        self.env["sale.order"]._cron_invoice_orders()
        self._cron_book_payments()
        if self._cron_follow_refunds():
            self._cron_book_payments()

    @api.model
    def _get_booking_domain(self):
        """Return the domain of the payments that can be booked now."""
        has_invoice = Domain(
            "order_id.invoice_ids", "any", [("state", "=", "posted"), ("move_type", "=", "out_invoice")]
        )
        return (
            Domain("amount_to_book", ">", 0)
            & (Domain("next_try", "=", False) | Domain("next_try", "<=", fields.Datetime.now()))
            & (
                (Domain("direction", "=", "inbound") & Domain("captured_amount", ">", 0) & has_invoice)
                | (
                    Domain("direction", "=", "outbound")
                    & (Domain("refund_move_id.state", "=", "posted") | Domain("refund_state", "=", "overpaid"))
                )
            )
        )

    @api.model
    def _cron_book_payments(self, limit=500):
        """Book the due payments in batches of one company; a batch that fails is done one by one."""
        domain = self._get_booking_domain()
        rows = self.search(domain, limit=limit, order="id")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=self.search_count(domain))
        for company, company_rows in rows.grouped("company_id").items():
            work = partial(type(self)._book_batch, domain=domain)
            if not cron._oms_work_in_steps(company_rows.with_company(company), work):
                return

    def _book_batch(self, domain):
        """Book these, again where others changed them first. :return: how many are done"""
        if not work_undisturbed(self.env, partial(self._book_due, domain)):
            self._get_settle_cron()._oms_come_back(self)
        return len(self)

    def _book_due(self, domain):
        """Book these together; if one of them can't be, each by itself: the error stays with its row."""
        payments = self._get_settle_cron()._oms_lock_due(self, domain)
        if payments and not payments._try_book():
            for payment in payments:
                payment._try_book()

    def _try_book(self):
        """:return: whether these are booked; the error of a single one is kept"""
        error = try_apart(self, self._book)
        if error and len(self) == 1:
            self._write_booking_error(error)
        return not error

    def _book(self):
        """Make, post and reconcile the payments of these."""
        vals_list = [payment._prepare_account_payment_values() for payment in self]
        booked = (
            self.env["account.payment"]
            .with_context(tracking_disable=True, mail_create_nosubscribe=True)
            .create(vals_list)
        )
        booked.action_post()
        for payment, account_payment in zip(self, booked, strict=True):
            account_payment.oms_channel_payment_id = payment
        self.write({"last_error": False, "next_try": False})
        self._reconcile()
        for payment, account_payment in zip(self, booked, strict=True):
            payment.order_id._oms_log_event("payment_booked", document=account_payment, message=account_payment.name)

    def _get_paid_moves(self):
        """Return the posted invoices, or the credit note, that one payment is for. More paid than invoiced and given
        back has no credit note."""
        self.ensure_one()
        if self.refund_move_id:
            return self.refund_move_id
        return self.order_id.invoice_ids.filtered(
            lambda move: move.state == "posted" and move.move_type == "out_invoice"
        )

    def _prepare_account_payment_values(self):
        """Return the values of the account.payment.

        :raise UserError: naming what the channel's settings lack
        """
        self.ensure_one()
        journal = self.channel_id.journal_id
        if not journal:
            raise UserError(
                self.env._(
                    "%(channel)s has no payment journal. Choose one in its settings.", channel=self.channel_id.name
                )
            )
        moves = self._get_paid_moves()
        account = moves._get_receivable_lines().account_id[:1]
        date = fields.Datetime.context_timestamp(self, self.date or fields.Datetime.now()).date()
        return {
            "payment_type": self.direction,
            "partner_type": "customer",
            "partner_id": moves[:1].commercial_partner_id.id,
            "amount": self.amount_to_book,
            "currency_id": self.currency_id.id,
            "journal_id": journal.id,
            "company_id": self.company_id.id,
            "date": date,
            "memo": f"{self.order_id.channel_order_ref or self.order_id.name} {self.external_id}",
            "payment_reference": self.external_id,
            "destination_account_id": account.id,
        }

    def _reconcile(self):
        """Reconcile each booked payment with what it pays, as far as both go; then what is left of an order's payments
        with each other: the shop gave back what was set off between invoice and credit note before."""
        self._reconcile_groups(
            payment._get_paid_moves()._get_receivable_lines() | payment._get_booked_lines() for payment in self
        )
        orders = self.order_id.filtered(lambda order: len(set(order.channel_payment_ids.mapped("direction"))) > 1)
        self._reconcile_groups(order.channel_payment_ids._get_booked_lines() for order in orders)

    def _get_booked_lines(self):
        """Return the receivable items of the payments these are booked as."""
        return self.payment_ids.move_id._get_receivable_lines()

    @api.model
    def _reconcile_groups(self, groups):
        """Reconcile what is open of each group of receivable items."""
        plan = []
        for lines in groups:
            for account_lines in lines.filtered(lambda line: not line.reconciled).grouped("account_id").values():
                if len({line.balance > 0 for line in account_lines}) > 1:
                    plan.append(account_lines)
        if plan:
            self.env["account.move.line"]._reconcile_plan(plan)

    def _write_booking_error(self, error):
        """Keep the error, tell the order's responsible once, and try again later."""
        self.ensure_one()
        is_new = not self.last_error
        self.write({"last_error": error, "next_try": fields.Datetime.now() + timedelta(minutes=RETRY_MINUTES)})
        if is_new:
            self.order_id._oms_schedule_activity(
                self.env._("A payment of %(order)s could not be booked", order=self.order_id.name), error
            )
