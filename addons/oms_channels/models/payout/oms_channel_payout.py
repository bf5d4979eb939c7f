from datetime import UTC

from odoo import api, fields, models

KINDS = [
    ("charge", "Sale"),
    ("refund", "Refund"),
    ("fee", "Fee"),
    ("chargeback", "Chargeback"),
    ("adjustment", "Adjustment"),
    ("payout", "Paid Out"),
    ("other", "Other"),
]


class OmsChannelPayout(models.Model):
    """Money that a platform sends to the bank at once, for many orders. What it is made of stands in its lines; nothing
    of it is booked: payments of orders are booked as `oms.channel.payment`."""

    _name = "oms.channel.payout"
    _description = "Payout"
    _order = "date desc, id desc"
    _rec_name = "external_id"

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    external_id = fields.Char(string="ID in the Shop", required=True, readonly=True)
    state = fields.Selection(
        [
            ("open", "Open"),
            ("in_transit", "On Its Way"),
            ("paid", "Paid"),
            ("failed", "Failed"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        default="open",
        readonly=True,
    )
    date = fields.Datetime(readonly=True, help="Of its last movement.")
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    line_ids = fields.One2many("oms.channel.payout.line", "payout_id", string="Lines", readonly=True)
    line_count = fields.Integer(compute="_compute_amounts", store=True)
    gross_amount = fields.Monetary(string="Gross", compute="_compute_amounts", store=True)
    fee_amount = fields.Monetary(string="Fees", compute="_compute_amounts", store=True)
    net_amount = fields.Monetary(string="Net", compute="_compute_amounts", store=True, help="Gross less fees.")
    paid_amount = fields.Monetary(
        string="Paid Out",
        compute="_compute_amounts",
        store=True,
        help="What left for the bank, where the platform names it as a movement of its own.",
    )
    difference = fields.Monetary(
        compute="_compute_amounts", store=True, help="Net less what was paid out: should be nothing."
    )

    _external_uniq = models.Constraint("UNIQUE(channel_id, external_id)", "This payout of the shop is already there.")

    @api.depends("line_ids.gross_amount", "line_ids.fee_amount", "line_ids.net_amount", "line_ids.kind")
    def _compute_amounts(self):
        for payout in self:
            paid = payout.line_ids.filtered(lambda line: line.kind == "payout")
            lines = payout.line_ids - paid
            payout.line_count = len(lines)
            payout.gross_amount = sum(lines.mapped("gross_amount"))
            payout.fee_amount = sum(lines.mapped("fee_amount"))
            payout.net_amount = sum(lines.mapped("net_amount"))
            payout.paid_amount = -sum(paid.mapped("net_amount"))
            payout.difference = payout.net_amount - payout.paid_amount if paid else 0.0


class OmsChannelPayoutLine(models.Model):
    """One movement of the account that a platform keeps for a shop: what an order brought and cost."""

    _name = "oms.channel.payout.line"
    _description = "Payout Line"
    _order = "date desc, id desc"
    _rec_name = "external_id"

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    payout_id = fields.Many2one(
        "oms.channel.payout",
        index="btree_not_null",
        ondelete="set null",
        readonly=True,
        help="Empty while the platform has not put it into a payout.",
    )
    external_id = fields.Char(string="ID in the Shop", required=True, readonly=True)
    kind = fields.Selection(KINDS, required=True, readonly=True)
    description = fields.Char(readonly=True, help="In the platform's words.")
    date = fields.Datetime(required=True, readonly=True)
    order_external_id = fields.Char(string="Order in the Shop", readonly=True)
    order_id = fields.Many2one("sale.order", index="btree_not_null", ondelete="set null", readonly=True)
    payment_id = fields.Many2one("oms.channel.payment", index="btree_not_null", ondelete="set null", readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    gross_amount = fields.Monetary(string="Gross", readonly=True)
    fee_amount = fields.Monetary(string="Fee", readonly=True)
    net_amount = fields.Monetary(string="Net", readonly=True)

    _external_uniq = models.Constraint("UNIQUE(channel_id, external_id)", "This movement is already there.")

    @api.model
    def _store(self, channel, entries):
        """Keep what a platform tells of its account, each movement once: what is known is brought up to date.

        :param entries: list of PayoutEntry
        """
        entries = list({entry.external_id: entry for entry in entries}.values())
        known = {
            line.external_id: line
            for line in self.search(
                [("channel_id", "=", channel.id), ("external_id", "in", [entry.external_id for entry in entries])]
            )
        }
        found = self._prepare_store(channel, entries)
        vals_list = []
        for entry in entries:
            vals = self._prepare_line_values(channel, entry, found)
            line = known.get(entry.external_id)
            if not line:
                vals_list.append(vals)
            elif changed := {
                name: value
                for name, value in vals.items()
                if value is not False and value != "" and line._fields[name].convert_to_write(line[name], line) != value
            }:
                line.write(changed)
        return self.create(vals_list)

    @api.model
    def _note_refunds(self, channel, order_refs):
        """Keep, with the payments of these orders, what was given back by the movements of the account."""
        groups = self._read_group(
            [
                ("channel_id", "=", channel.id),
                ("kind", "=", "refund"),
                ("order_id", "!=", False),
                ("order_external_id", "in", order_refs),
            ],
            ["order_id"],
            ["gross_amount:sum"],
        )
        Payment = self.env["oms.channel.payment"]
        for order, gross in groups:
            # Without a payment of the buyer there is nothing that the shop could have given back.
            if inbound := order.channel_payment_ids._filter_inbound()[:1]:
                Payment._note_refunded(order, {inbound.external_id: inbound.currency_id.round(-gross)})

    @api.model
    def _prepare_store(self, channel, entries):
        """Read once what all lines need. :return: dict ``orders``, ``payments``, ``currencies``, ``payouts``"""
        domain = [("channel_id", "=", channel.id)]
        orders = self.env["sale.order"].search_fetch(
            [*domain, ("channel_order_id", "in", [entry.order_external_id for entry in entries])], ["channel_order_id"]
        )
        payments = self.env["oms.channel.payment"].search_fetch(
            [*domain, ("external_id", "in", [entry.payment_external_id for entry in entries])],
            ["external_id", "order_id"],
        )
        payment_ids = {(payment.order_id.id, payment.external_id): payment.id for payment in payments}
        currencies = (
            self.env["res.currency"]
            .with_context(active_test=False)
            .search([("name", "in", list({entry.currency for entry in entries}))])
        )
        found = {
            "orders": {order.channel_order_id: order.id for order in orders},
            # An order that nobody names is that of the payment.
            "payments": {**{(False, key): id_ for (_order, key), id_ in payment_ids.items()}, **payment_ids},
            "currencies": {currency.name: currency.id for currency in currencies},
        }
        return {**found, "payouts": self._find_or_create_payouts(channel, entries, found["currencies"])}

    @api.model
    def _find_or_create_payouts(self, channel, entries, currencies):
        """Return {id in the shop: id} of the payouts of these, each in the state told last."""
        told = {}
        for entry in sorted(entries, key=lambda entry: entry.date):
            if entry.payout_external_id:
                date = self._to_datetime(entry.date)
                told[entry.payout_external_id] = {
                    "date": date,
                    **({"state": entry.payout_state} if entry.payout_state else {}),
                    "currency_id": currencies.get(entry.currency) or channel.company_id.currency_id.id,
                }
        Payout = self.env["oms.channel.payout"]
        payouts = Payout.search([("channel_id", "=", channel.id), ("external_id", "in", list(told))])
        for payout in payouts:
            vals = told.pop(payout.external_id)
            vals.pop("currency_id")
            vals["date"] = max(vals["date"], payout.date or vals["date"])
            payout.write({name: value for name, value in vals.items() if payout[name] != value})
        payouts |= Payout.create([{"channel_id": channel.id, "external_id": key, **vals} for key, vals in told.items()])
        return {payout.external_id: payout.id for payout in payouts}

    @api.model
    def _to_datetime(self, moment):
        return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)

    @api.model
    def _prepare_line_values(self, channel, entry, found):
        order_id = found["orders"].get(entry.order_external_id, False)
        return {
            "channel_id": channel.id,
            "payout_id": found["payouts"].get(entry.payout_external_id, False),
            "external_id": entry.external_id,
            "kind": entry.kind,
            "description": entry.description,
            "date": self._to_datetime(entry.date),
            "order_external_id": entry.order_external_id,
            "order_id": order_id,
            "payment_id": found["payments"].get((order_id, entry.payment_external_id), False),
            "currency_id": found["currencies"].get(entry.currency) or channel.company_id.currency_id.id,
            "gross_amount": float(entry.gross),
            "fee_amount": float(entry.fee),
            "net_amount": float(entry.net),
        }
