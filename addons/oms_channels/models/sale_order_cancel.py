from decimal import Decimal
from hashlib import sha256

from odoo import api, fields, models
from odoo.tools import float_repr, format_amount

from ..adapters import notices


class SaleOrder(models.Model):
    """What is cancelled here is cancelled in the shop: an order, or units taken off a confirmed one.

    What is to be told is the difference between what the shop has open and what is open here, taken when the
    transaction ends: by then a line that was lowered has the one that stands in for it.
    """

    _inherit = "sale.order"

    channel_cancel_reason = fields.Char(
        string="Reason of the Cancellation",
        copy=False,
        help="Told to the shop along with what is cancelled here. Enter it before you cancel the order or take units "
        "off it.",
    )

    def _action_cancel(self):
        """Override of `sale`: the shop is told, unless it is where the cancellation comes from."""
        res = super()._action_cancel()
        orders = self.filtered(lambda order: order.channel_order_id and order.channel_status != "cancelled")
        self.env["oms.channel.push"]._enqueue("cancel", [(order, order) for order in orders])
        return res

    def _action_confirm(self):
        """Override of `sale`: what was taken off in the review is told now; then the totals differ."""
        res = super()._action_confirm()
        self.filtered("channel_amount_difference")._note_cancelled_units()
        return res

    # === WHAT IS TOLD === #

    def _note_cancelled_units(self):
        """Have the shops of these orders told what was taken off, when this transaction ends."""
        orders = self.filtered(lambda order: order.channel_order_id and order.channel_status != "cancelled")
        if not orders:
            return
        hooks = self.env.cr.precommit
        noted = hooks.data.get("oms_cancelled_units")
        if noted is None:
            noted = hooks.data["oms_cancelled_units"] = {}
            hooks.add(self._tell_cancelled_units)
        is_credited = self.env.su and self.env.context.get("oms_units_credited")
        for order in orders:
            noted.setdefault(order.id, (order.amount_total, is_credited))

    @api.model
    def _tell_cancelled_units(self):
        """Queue what was taken off the orders noted in this transaction, and expect so much less of their shops."""
        noted = self.env.cr.precommit.data.pop("oms_cancelled_units", {})
        # sudo: sale.order - whoever takes off a line may not read what its shop said
        orders = self.sudo().browse(noted).exists().filtered(lambda order: order.state == "sale")
        pairs, payloads = [], []
        for order in orders:
            if units := order._get_cancelled_units():
                pairs.append((order, order))
                amount_total, is_credited = noted[order.id]
                payloads.append({**self._prepare_cancelled_payload(units), "is_credited": bool(is_credited)})
                if order.channel_amount_total:
                    order.channel_amount_total += order.amount_total - amount_total
        self.env["oms.channel.push"]._enqueue("cancel_lines", pairs, payloads)
        # This runs after the flush of the commit.
        self.env.flush_all()

    def _get_cancelled_units(self):
        """Return what is open in the shop, was not told yet and is wanted no more here.

        :return: dict {line id in the shop: (units open there, units to be left)}
        """
        self.ensure_one()
        here, told = self._get_units_here(), self._get_told_units()
        units = {}
        for key, row in (self.channel_snapshot or {}).get("lines", {}).items():
            there = Decimal(row["quantity"])
            before, left = told.get(key, (there, there))
            if before >= there:  # else the shop has put some on since
                there = min(there, left)
            if here.get(key, 0) < there:
                units[key] = (there, here.get(key, Decimal(0)))
        return units

    def _get_units_here(self):
        """Return {line id in the shop: units that are wanted here, or were invoiced}: what is invoiced is given back,
        and told, by its credit note."""
        units = {}
        for line in self.order_line:
            if key := line._oms_get_channel_line_id():
                quantity = Decimal(str(max(line.product_uom_qty, line.qty_invoiced)))
                units[key] = units.get(key, Decimal(0)) + quantity
        return units

    def _get_told_units(self):
        """Return {line id in the shop: (units open there when it was told last, units to be left)}."""
        told = {}
        for push in self.channel_push_ids.filtered(lambda push: push.kind == "cancel_lines").sorted("id"):
            told.update({key: (Decimal(before), Decimal(left)) for key, before, left in push.payload["units"]})
        return told

    @api.model
    def _prepare_cancelled_payload(self, units):
        """Return the payload of a push. :param units: see `_get_cancelled_units`"""
        rows = [[key, f"{before.normalize():f}", f"{left.normalize():f}"] for key, (before, left) in units.items()]
        lines = [[key, f"{(before - left).normalize():f}"] for key, (before, left) in units.items()]
        return {"lines": lines, "units": rows, "mark": sha256(str(rows).encode()).hexdigest()[:12]}

    # === WHEN THE SHOP SAYS SO === #

    def _settle_own_cancellations(self, channel_order, differences):
        """Take out of the differences what the shop has less of because it was taken off here: it is no change.

        :param differences: see `_get_channel_differences`
        """
        self.ensure_one()
        lines = differences.get("lines", {})
        here = self._get_units_here() if self.state == "sale" and lines else {}
        own = [
            key
            for key, change in lines.items()
            if not change.keys() & {"replaced", "price"}
            and Decimal(change["before"]) > Decimal(change["now"]) >= here.get(key, Decimal(0))
        ]
        if not here or not own:
            return
        for key in own:
            del lines[key]
        if not lines:
            del differences["lines"]
            differences.pop("total", None)
            self.channel_amount_total = float(channel_order.expected_total)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def write(self, vals):
        """Override of `sale_stock`: what is taken off a confirmed order is cancelled in its shop as well."""
        if "product_uom_qty" in vals:
            lowered = self.filtered(
                lambda line: (
                    line.state == "sale" and line.channel_line_id and line.product_uom_qty > vals["product_uom_qty"]
                )
            )
            lowered.order_id._note_cancelled_units()
        return super().write(vals)


class OmsChannelPush(models.Model):
    _inherit = "oms.channel.push"

    def _prepare_cancel_notice(self):
        if self.order_id.channel_status == "cancelled":
            return self.env._("Already cancelled in the shop.")
        return notices.CancelNotice(
            order_external_id=self.order_id.channel_order_id,
            idempotency_key=self.idempotency_key,
            reason=self.order_id.channel_cancel_reason or "",
            captured_amount=self._get_captured_amount(),
        )

    def _get_captured_amount(self):
        """Return what the order's buyer is known to have paid, None where nothing is."""
        amount = self.order_id._get_captured_amount()
        return Decimal(float_repr(amount, self.order_id.currency_id.decimal_places)) if amount else None

    def _apply_cancel_result(self, notice, result):
        self.order_id.channel_status = "cancelled"
        self._apply_given_back(result)

    def _prepare_cancel_lines_notice(self):
        order = self.order_id
        if order.channel_status == "cancelled" or order.state == "cancel":
            return self.env._("The order is cancelled as a whole.")
        here = order._get_units_here()
        if not self.attempts and any(here.get(key, 0) > Decimal(left) for key, _there, left in self.payload["units"]):
            return self.env._("The quantity was raised again.")
        lines = self._get_notice_lines()
        self.request_ref = order._find_cancel_request(lines, self._get_used_requests())
        return notices.CancelNotice(
            order_external_id=order.channel_order_id,
            idempotency_key=self.idempotency_key,
            reason=order.channel_cancel_reason or "",
            lines=lines,
            request_external_id=self.request_ref or "",
            captured_amount=self._get_captured_amount(),
        )

    def _apply_cancel_lines_result(self, notice, result):
        order = self.order_id
        self._apply_given_back(result)
        if self.payload.get("is_credited"):
            order.channel_payment_ids._keep_for_credit_note()
        elif short := result.data.get("short"):
            amount = format_amount(self.env, float(short), order.currency_id)
            order._oms_schedule_activity(
                self.env._("Less was paid back than was due: %(amount)s are missing", amount=amount),
                self.env._("More was given back of this order before, so the shop has no more of the buyer's money."),
            )

    def _apply_given_back(self, result):
        """Follow the money that the shop gave back, or noted that a person has to."""
        Payment = self.env["oms.channel.payment"]
        Payment._note_refunded(self.order_id, result.data.get("refunded") or {})
        Payment._ask_to_pay_back(self.order_id, result)

    def _ask_by_hand(self):
        """Override: what is cancelled here must not be paid for, or expected, there."""
        super()._ask_by_hand()
        if self.kind not in ("cancel", "cancel_lines"):
            return
        order = self.order_id
        products = {line._oms_get_channel_line_id(): line.product_id.display_name for line in order.order_line[::-1]}
        what = [f"{quantity:f} × {products.get(key, key)}" for key, quantity in self._get_notice_lines()]
        order._oms_schedule_activity(
            self.env._("Cancel in the shop: %(what)s", what=", ".join(what) or order.channel_order_ref or order.name),
            "\n".join(
                filter(
                    None,
                    [
                        self.env._("The platform can't be told: cancel it there by hand, and pay the buyer back."),
                        order.channel_cancel_reason,
                    ],
                )
            ),
        )
