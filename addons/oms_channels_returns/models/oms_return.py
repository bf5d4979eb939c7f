from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from odoo.addons.oms_base.sharing import share
from odoo.addons.oms_channels.adapters import base


class OmsReturn(models.Model):
    """Returns that buyers ask for in their shop."""

    _inherit = "oms.return"

    channel_request_ref = fields.Char(
        string="Request in the Shop",
        readonly=True,
        copy=False,
        help="The buyer's request, as the shop calls it. It is answered when it is approved or refused here, and when "
        "the goods are received and refunded.",
    )
    channel_answer = fields.Char(
        string="Answer in the Shop",
        compute="_compute_channel_answer",
        help="What became of telling the shop that the request is approved or refused.",
    )

    @api.depends("state", "channel_request_ref")
    def _compute_channel_answer(self):
        # sudo: oms.channel.push - whoever handles the return may know what the shop was told
        pushes = (
            self.env["oms.channel.push"]
            .sudo()
            .search_fetch(
                [("kind", "=", "answer"), ("res_model", "=", self._name), ("res_id", "in", self.ids)],
                ["res_id", "state", "response", "last_error"],
            )
        )
        states = dict(pushes._fields["state"]._description_selection(self.env))
        answers = {push.res_id: (states[push.state], push.response or push.last_error) for push in pushes}
        for oms_return in self:
            oms_return.channel_answer = ": ".join(filter(None, answers.get(oms_return.id, ()))) or False

    def action_cancel(self):
        """Override of `oms_returns`: a request made in the shop is answered there, which a cancellation is not."""
        if waiting := self.filtered(lambda row: row.state == "requested" and row.channel_request_ref):
            raise UserError(
                self.env._(
                    "%(names)s was asked for in the shop and the buyer waits for an answer: refuse it with a reason.",
                    names=", ".join(waiting.mapped("name")),
                )
            )
        return super().action_cancel()

    def _set_state(self, target):
        """Override of `oms_returns`: who asked in the shop is answered there, once."""
        moved = super()._set_state(target)
        if target in ("approved", "refused"):
            moved._answer_in_shop(is_granted=target == "approved")
        return moved

    def _cancel_undelivered(self):
        """Override of `oms_returns`: the shop gives money back with the units that are taken off there. It is told of
        them before their credit note, which that money pays."""
        res = super(OmsReturn, self.with_context(oms_units_credited=True))._cancel_undelivered()
        self.env["sale.order"]._tell_cancelled_units()
        return res

    def _answer_in_shop(self, is_granted):
        """Queue the answer to the buyers' requests. Where a refund of ours is the shop's own consent to a request for
        money, the refund tells it: else the money would go before its credit note."""
        pairs, payloads = [], []
        # sudo: sale.order, oms.channel - who approves returns need not be allowed to read them
        for oms_return in self.sudo().filtered("channel_request_ref"):
            order = oms_return.order_ids[:1]
            is_paid_later = oms_return.type == "refund_only" and base.REFUND in order.channel_id._get_capabilities()
            if is_granted and is_paid_later:
                continue
            pairs.append((order, oms_return))
            payloads.append(
                {
                    "request": oms_return.channel_request_ref,
                    "is_granted": is_granted,
                    "reason": "" if is_granted else oms_return.refusal_reason or "",
                }
            )
        self.env["oms.channel.push"]._enqueue("answer", pairs, payloads)

    @api.model
    def _create_from_channel(self, order, external_id, request):
        """Create and hand in the return that a buyer asked for in the shop. The same request is the same return.

        :param external_id: the request's id in the shop
        :param request: one request of the order's snapshot, see `sale.order._prepare_refund_requests`
        :return: the return
        :raise UserError: when what is asked for can't come back
        """
        if existing := self._find_from_channel(order, [external_id]):
            if existing.state in ("refused", "cancelled"):
                raise UserError(
                    self.env._("%(name)s was ended before: the buyer asks for the same again.", name=existing.name)
                )
            return existing
        order._oms_lock_for_return()
        oms_return = self.create(
            {
                "type": "return" if request["kind"] == "return" else "refund_only",
                "partner_id": order.partner_id.id,
                "company_id": order.company_id.id,
                "user_id": (order.channel_id.user_id or order.user_id).id,
                "request_key": self._get_channel_key(order, external_id),
                "channel_request_ref": external_id,
                "buyer_note": request["reason"],
                "line_ids": [Command.create(vals) for vals in self._prepare_channel_lines(order, request)],
            }
        )
        oms_return._request()
        return oms_return

    @api.model
    def _find_from_channel(self, order, external_ids):
        """Return the returns that these requests of the shop became."""
        keys = [self._get_channel_key(order, external_id) for external_id in external_ids]
        return self.search([("request_key", "in", keys)])

    @api.model
    def _get_channel_key(self, order, external_id):
        return f"channel-{order.channel_id.id}-{order.id}-{external_id}"

    @api.model
    def _prepare_channel_lines(self, order, request):
        """Return the values of the lines: what is asked for, or all goods where the shop names none.

        Money alone is an amount of each line, in proportion to what they cost.

        :raise UserError: when none of it is in the order
        """
        goods = order.order_line.filtered(lambda line: line._oms_is_goods() and line.product_uom_qty)
        asked = {line_id: float(quantity) for line_id, quantity in request["lines"]}
        wanted = {line: asked.get(line.channel_line_id, 0.0) if asked else line.qty_delivered for line in goods}
        wanted = {line: quantity for line, quantity in wanted.items() if quantity > 0}
        if not wanted:
            raise UserError(self.env._("What is asked back is not in %(order)s.", order=order.name))
        amounts = [0.0] * len(wanted)
        if request["kind"] != "return":
            weights = [line.price_reduce_taxinc * quantity for line, quantity in wanted.items()]
            amounts = share(float(request["amount"]), weights, order.currency_id.decimal_places)
        return [
            {
                "sale_line_id": line.id,
                "quantity": 0.0 if amount else quantity,
                "refund_amount": amount,
                "buyer_note": request["reason"],
            }
            for (line, quantity), amount in zip(wanted.items(), amounts, strict=True)
        ]
