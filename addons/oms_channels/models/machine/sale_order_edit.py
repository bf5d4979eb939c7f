from dataclasses import replace

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..sale_order_import import SHIPPING_KEY
from .oms_channel_edit_policy import CAN_APPLY

# What of a line the shop may change once it is confirmed; its product and name stay.
LINE_FIELDS = ("product_uom_qty", "price_unit", "discount", "tax_ids", "extra_tax_data", "channel_total")


class SaleOrder(models.Model):
    """Applying what the shop changed: to a quotation by writing it anew, to a confirmed order that nobody has begun to
    pick by Odoo's own write, so that its transfers follow."""

    _inherit = "sale.order"

    def _decide_differences(self, differences, stage):
        """Return {part: decision} of what the shop changed, by the channel's policy.

        The total goes with the lines or the shipping it comes from. An address that was masked and is not any more is
        applied while it can be: it is no other address, only a readable one.
        """
        self.ensure_one()
        decisions = {part: self.channel_id._get_edit_decision(part, stage) for part in differences}
        source = next((part for part in ("lines", "shipping") if part in decisions), None)
        if source and "total" in decisions:
            decisions["total"] = decisions[source]
        if "address" in decisions and self.channel_is_masked and stage in CAN_APPLY["address"]:
            decisions["address"] = "apply"
        return decisions

    def _is_masked_anew(self, channel_order):
        """Return whether the shop now hides an address that is known here: the known one stays."""
        return bool(
            channel_order.is_masked and not self.channel_is_masked and (self.channel_snapshot or {}).get("address")
        )

    def _prepare_next_snapshot(self, channel_order):
        """Return the snapshot that this order has from now on: a masked address does not replace a known one."""
        snapshot, before = self._prepare_channel_snapshot(channel_order), self.channel_snapshot or {}
        if channel_order.is_masked and before.get("address"):
            snapshot["address"] = before["address"]
            snapshot["billing"] = before.get("billing", snapshot["billing"])
        if "sent_there" in before:
            snapshot["sent_there"] = before["sent_there"]
        if self._is_masked_anew(channel_order):
            snapshot["facts"]["channel_is_masked"] = self._prepare_told_facts({"masked": False})["masked"]
        return snapshot

    def _apply_differences(self, channel_order, differences):
        """Apply what changed. :return: why it could not be, "" when it was; then nothing is changed"""
        if self.state in ("draft", "sent"):
            self._rewrite_from_channel(channel_order, differences)
            # The review starts over: what it saw has changed.
            self.sudo().oms_review_date = False  # sudo: sale.order - the mark is the suite's own
            self._oms_trigger_review()
            return ""
        try:
            with self.env.cr.savepoint():
                self._change_confirmed(channel_order, differences)
                self.env.flush_all()
        except UserError as error:
            self.env.invalidate_all()
            return str(error)
        return ""

    def _change_confirmed(self, channel_order, differences):
        """Change a confirmed order and, through Odoo, its transfers.

        :raise UserError: naming what stands against it
        """
        if differences.keys() & {"lines", "total", "shipping"}:
            self._check_lines_may_change()
            vals = {
                "order_line": self._prepare_line_changes(channel_order, differences),
                "channel_amount_total": float(channel_order.expected_total),
            }
            before = {line.id: line.product_uom_qty for line in self.order_line}
            # In one go, then launched: what is half changed would be judged, and held for its total.
            self.with_context(tracking_disable=True, skip_procurement=True).write(vals)
            self.with_context(skip_procurement=True)._add_rounding_lines()
            self.order_line._action_launch_stock_rule(previous_product_uom_qty=before)
        if "address" in differences:
            self._check_address_may_change()
            [contact] = self.env["oms.channel.buyer"]._find_or_create_contacts(self.channel_id, [channel_order])
            # The key is Odoo's own: the transfers go to the new address as well.
            self.with_context(tracking_disable=True, update_delivery_shipping_partner=True).write(
                {"partner_shipping_id": contact["partner_shipping_id"]}
            )
        if "billing" in differences:
            if any(move.state == "posted" for move in self._get_channel_moves()):
                raise UserError(self.env._("The order is invoiced."))
            self._apply_billing(channel_order, differences["billing"])
        if "note" in differences:
            self.channel_note = channel_order.note

    def _check_lines_may_change(self):
        if self.locked:
            raise UserError(self.env._("The order is locked."))
        if any(line.qty_invoiced or line.qty_delivered for line in self.order_line):
            raise UserError(self.env._("The order is invoiced or delivered in part."))

    def _check_address_may_change(self):
        pickings = self._oms_get_pickings().filtered(lambda picking: picking.state not in ("done", "cancel"))
        if pickings.move_ids.sale_line_id.order_id - self:
            raise UserError(self.env._("The order travels together with others."))
        if any(picking.carrier_tracking_ref for picking in pickings):
            raise UserError(self.env._("The parcel has its label already."))

    def _apply_billing(self, channel_order, change):
        """Take over the invoice address, and the e-mail where it is still the one that came with the order."""
        old, partner = (change.get("before") or {}).get("email") or "", self.partner_id
        if channel_order.email and old != channel_order.email and (partner.email or "") == old:
            partner.email = channel_order.email
        if channel_order.billing_address:
            # Under the old e-mail, which may be all the shop knows its buyer by.
            [contact] = self.env["oms.channel.buyer"]._find_or_create_contacts(
                self.channel_id, [replace(channel_order, email=old or channel_order.email)]
            )
            self.with_context(tracking_disable=True).partner_invoice_id = contact["partner_invoice_id"]

    def _prepare_line_changes(self, channel_order, differences):
        """Return the commands that bring the lines of a confirmed order in line with the shop's.

        :param differences: what is not in its part "lines", or "shipping", stays as a person changed it here
        """
        channel, lines = self.channel_id, differences.get("lines", {})
        setup = self._prepare_channel_setup(channel, [channel_order])
        own = {line.channel_line_id: line for line in self.order_line if line.channel_line_id}
        if "shipping" in differences:
            lines = {**lines, **{key: {} for key in own if key.startswith(SHIPPING_KEY)}}
        commands, wanted = [], set()
        for key in [key for key, change in lines.items() if key in own and change.get("replaced")]:
            # Another product is another line: the old one gives its id away before the new one is made.
            line = own.pop(key)
            line.channel_line_id = False
            line.flush_recordset(["channel_line_id"])
            commands.append(Command.update(line.id, {"product_uom_qty": 0, "channel_total": 0}))
        for vals in self._prepare_channel_line_values(channel, channel_order, setup):
            key = vals["channel_line_id"]
            wanted.add(key)
            line = own.get(key)
            if not line:
                commands.append(Command.create(vals))
                continue
            changes = {name: vals[name] for name in LINE_FIELDS if name in vals}
            changes["channel_discount_ids"] = vals.get("channel_discount_ids", [Command.clear()])
            if key not in lines:
                changes.pop("product_uom_qty")
            elif key.startswith(SHIPPING_KEY):
                changes["name"] = vals["name"]
            commands.append(Command.update(line.id, changes))
        commands += [
            Command.update(line.id, {"product_uom_qty": 0, "channel_total": 0})
            for key, line in own.items()
            if key in lines and key not in wanted
        ]
        return commands
