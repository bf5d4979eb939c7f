from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import plaintext2html

from odoo.addons.oms_base.tools import work_undisturbed

from ..tools import try_apart

RETRY_MINUTES = 60
# The lines of an order that are to be shipped.
GOODS = Domain("product_id.type", "=", "consu") & Domain("product_uom_qty", ">", 0)


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    invoice_policy = fields.Selection(
        [("manual", "By hand"), ("confirmed", "When confirmed"), ("shipped", "When shipped in full")],
        string="Invoicing",
        default="shipped",
        required=True,
        tracking=True,
        help="When the invoices of this channel's orders are made and posted, in the background.",
    )

    def _wake_invoicing(self, policy):
        """Wake the background work where one of these channels invoices at this point of an order's way."""
        if policy in self.mapped("invoice_policy"):
            self.env["oms.channel.payment"]._trigger_settle()


class SaleOrder(models.Model):
    """Invoices of channel orders: made and posted in the background, in batches, by the channel's policy."""

    _inherit = "sale.order"

    invoice_error = fields.Char(string="Invoicing Error", readonly=True, copy=False)
    invoice_retry_date = fields.Datetime(readonly=True, copy=False)

    _channel_to_invoice_idx = models.Index("(id) WHERE invoice_status = 'to invoice' AND channel_id IS NOT NULL")

    @api.model
    def _get_channel_invoice_domain(self):
        """Return the domain of the orders to invoice now."""
        is_shipped = Domain("delivery_status", "=", "full")
        has_nothing_to_ship = Domain("delivery_status", "=", False) & ~Domain("order_line", "any", GOODS)
        return (
            Domain("channel_id", "!=", False)
            & Domain("state", "=", "sale")
            & Domain("invoice_status", "=", "to invoice")
            # Returned goods make it negative: what is paid back for them is decided by who handles the return.
            & Domain("order_line", "any", Domain("qty_to_invoice", ">", 0) & Domain("display_type", "=", False))
            & (
                Domain("channel_id.invoice_policy", "=", "confirmed")
                | (Domain("channel_id.invoice_policy", "=", "shipped") & (is_shipped | has_nothing_to_ship))
            )
            & (Domain("invoice_retry_date", "=", False) | Domain("invoice_retry_date", "<=", fields.Datetime.now()))
        )

    @api.model
    def _cron_invoice_orders(self, limit=500):
        """Invoice the orders that are due, in batches of one company; a batch that fails is done one by one."""
        domain = self._get_channel_invoice_domain()
        orders = self.search(domain, limit=limit, order="id")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=self.search_count(domain))
        for company, company_orders in orders.grouped("company_id").items():
            work = partial(type(self)._invoice_channel_batch, domain=domain)
            if not cron._oms_work_in_steps(company_orders.with_company(company), work):
                return

    def _invoice_channel_batch(self, domain):
        """Invoice these orders, again where others changed them first. :return: how many are done"""
        if not work_undisturbed(self.env, partial(self._invoice_channel_due, domain)):
            self.env["oms.channel.payment"]._get_settle_cron()._oms_come_back(self)
        return len(self)

    def _invoice_channel_due(self, domain):
        """Invoice these orders together; if one of them can't be, each by itself: the error stays with its order."""
        orders = self.env["oms.channel.payment"]._get_settle_cron()._oms_lock_due(self, domain)
        if not orders or orders._try_invoice_channel_orders():
            return
        for order in orders:
            order._try_invoice_channel_orders()

    def _try_invoice_channel_orders(self):
        """:return: whether these orders are invoiced; the error of a single one is kept"""
        error = try_apart(self, self._invoice_channel_orders)
        if error and len(self) == 1:
            self._write_invoice_error(error)
        return not error

    def _invoice_channel_orders(self):
        """Make and post one invoice for each of these orders.

        :return: the posted invoices
        """
        Orders = self.with_context(tracking_disable=True, mail_create_nosubscribe=True, mail_notrack=True)
        # grouped: one invoice an order, even where one buyer has several
        invoices = Orders._create_invoices(grouped=True, final=False)
        invoices.action_post()
        for order in self:
            if invoice := order.invoice_ids & invoices:
                order._oms_log_event("invoiced", document=invoice, message=invoice[:1].name)
        if failed := self.filtered("invoice_error"):
            failed.write({"invoice_error": False, "invoice_retry_date": False})
        return invoices

    def _write_invoice_error(self, error):
        """Keep the error on the order, tell its responsible once, and try again later."""
        self.ensure_one()
        is_new = not self.invoice_error
        self.write(
            {
                "invoice_error": error,
                "invoice_retry_date": fields.Datetime.now() + timedelta(minutes=RETRY_MINUTES),
            }
        )
        if is_new:
            self._oms_schedule_activity(self.env._("%(order)s could not be invoiced", order=self.name), error)

    def _filter_services(self):
        """Return the orders of which nothing is to be shipped."""
        return self.filtered(lambda order: not order.order_line.filtered_domain(GOODS))

    def _get_channel_moves(self):
        """Return the invoices and credit notes of this order that are not cancelled, in sudo."""
        self.ensure_one()
        # sudo: account.move - background work may meet what its user may not read
        moves = self.sudo().invoice_ids
        return (moves | moves.reversal_move_ids).filtered(lambda move: move.state != "cancel")

    def _is_paid_too_little(self):
        """Return whether the shop holds less money of the buyer than the order costs."""
        self.ensure_one()
        return self.currency_id.compare_amounts(self._get_amount_kept(), self.amount_total) < 0

    def action_retry_invoice(self):
        """Have the failed invoices tried again at once."""
        self.write({"invoice_error": False, "invoice_retry_date": False})
        self.env["oms.channel.payment"]._trigger_settle()
        return True

    def _oms_schedule_activity(self, summary, note):
        """Give the responsible of each order's channel something to look at, once a summary."""
        for order in self:
            responsible = order.channel_id.user_id or order.user_id
            if any(activity.summary == summary for activity in order.activity_ids):
                continue
            order.sudo().activity_schedule(  # sudo: mail.activity - background work may speak to anybody
                "mail.mail_activity_data_warning",
                summary=summary,
                note=plaintext2html(note or ""),
                user_id=responsible.id or self.env.uid,
            )
