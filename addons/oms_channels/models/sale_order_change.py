from dataclasses import asdict
from decimal import Decimal

from odoo import api, models
from odoo.fields import Command

CENT = Decimal("0.01")
SHIP_DATE_FACTS = ("commitment_date", "oms_presale_ship_date")


class SaleOrder(models.Model):
    """What the shop changes after the import: applied to a quotation; later a person has to stop the parcel."""

    _inherit = "sale.order"

    def _oms_apply_channel_order(self, channel_order):
        """Bring this order in line with a newer state of it in the shop.

        :param channel_order: ChannelOrder
        :return: dict of values for the message: ``result``, and ``state`` "skipped" when nothing was done
        """
        self.ensure_one()
        digest = self.env["oms.channel.message"]._get_digest(channel_order.raw)
        version = channel_order.version or ""
        if digest == self.channel_digest and version == (self.channel_version or ""):
            return {"state": "skipped", "order_id": self.id, "result": self._get_nothing_new_result()}
        if version < (self.channel_version or ""):
            return {
                "state": "skipped",
                "order_id": self.id,
                "result": self.env._(
                    "Outdated: the order already has version %(version)s", version=self.channel_version
                ),
            }
        waited_for = self.oms_waits_for
        self.env["oms.channel.payment"]._sync([(self, channel_order)])
        was_cancelled, is_reopened = self.channel_status == "cancelled", self._is_reopened(channel_order)
        differences, stage = self._get_channel_differences(channel_order), self._get_edit_stage()
        self._settle_own_cancellations(channel_order, differences)
        decisions = self._decide_differences(differences, stage)
        self.write(
            {
                "channel_version": version,
                "channel_digest": digest,
                "channel_status": channel_order.status,
                **self._get_changed_facts(channel_order, decisions),
            }
        )
        if channel_order.status == "cancelled":
            result = self.env._("Cancelled before") if was_cancelled else self._apply_shop_cancellation()
            return {"order_id": self.id, "result": result}
        told = self.channel_snapshot or {}
        self.channel_snapshot = self._prepare_next_snapshot(channel_order)
        results = [
            self._apply_shop_reopening(channel_order)
            if is_reopened
            else self._apply_shop_edit(channel_order, differences, decisions),
            *self._apply_refund_requests(channel_order, told.get("refund_requests", {})),
            *self._apply_foreign_shipment(channel_order, told.get("sent", {})),
        ]
        self._collect_the_rest(channel_order, waited_for)
        return {"order_id": self.id, "result": ". ".join(results)}

    @api.model
    def _get_nothing_new_result(self):
        """Return the result of a message that brought nothing; its payload is not worth keeping."""
        return self.env._("Nothing new")

    def _get_changed_facts(self, channel_order, decisions):
        """Return the values of what rules may ask that the shop tells otherwise than before, and what it says now."""
        facts = {
            **self._prepare_channel_fact_values(channel_order),
            "oms_waits_for": self._get_wait(channel_order),
        }
        if self._is_masked_anew(channel_order):
            facts["channel_is_masked"] = False
        told, before = self._prepare_told_facts(facts), (self.channel_snapshot or {}).get("facts", {})
        changed = {name: value for name, value in facts.items() if before.get(name, "") != told[name]}
        if decisions.get("ship_date", "apply") != "apply":
            changed = {name: value for name, value in changed.items() if name not in SHIP_DATE_FACTS}
        if "oms_amount_paid" in changed:
            changed["oms_amount_paid"] = self._get_amount_kept()
        if changed:
            changed["channel_snapshot"] = {**(self.channel_snapshot or {}), "facts": told}
        return changed

    def _prepare_told_facts(self, facts):
        """Return the facts as the snapshot keeps them: text that can be compared."""
        return {name: str(value or "") for name, value in facts.items()}

    def _apply_shop_cancellation(self):
        """Cancel what has not left the house; what has is stopped by a person."""
        if self.state == "cancel":
            return self.env._("Cancelled before")
        # Read in full: a done delivery can't be cancelled.
        if any(picking.state == "done" for picking in self._oms_get_outbound_pickings()) or self.locked:
            self._place_shop_hold(
                self.env._("The order was cancelled in the shop, but goods have been moved already."),
                {"cancelled": True},
            )
            return self.env._("Cancelled in the shop: put on hold")
        self._action_cancel()
        return self.env._("Cancelled")

    def _apply_shop_edit(self, channel_order, differences, decisions):
        """Apply what the channel's policy lets the shop change, put the order on hold for what a person must decide.

        :param differences: see `_get_channel_differences`
        :param decisions: see `_decide_differences`
        """
        if not differences:
            return self.env._("No change of address or lines")
        if self.state == "cancel":
            return self.env._("Changed in the shop, but cancelled here")
        parts = {
            decision: {part: value for part, value in differences.items() if decisions[part] == decision}
            for decision in ("apply", "hold", "ignore")
        }
        reason = self._apply_differences(channel_order, parts["apply"]) if parts["apply"] else ""
        if reason:  # Odoo refused: a person finds out what can still be done
            parts["hold"] |= parts.pop("apply")
        self._oms_log_event("changed", message=self._describe_differences(differences), data=differences)
        if parts["hold"]:
            what = self._describe_differences(parts["hold"])
            self._place_shop_hold(
                " ".join(
                    filter(None, [self.env._("Changed in the shop after confirmation: %(what)s", what=what), reason])
                ),
                parts["hold"],
            )
            return self.env._("Changed in the shop: put on hold")
        return self.env._("Changed") if parts.get("apply") else self.env._("Changed in the shop: left as it is")

    def _get_channel_differences(self, channel_order):
        """Return what the shop says other than it said before, as JSON-able {part: {...}}; parts are those of
        `oms.channel.edit.policy`.

        Compared with the shop's own last word, not with the order: what a person corrected here must stay. A masked
        address says nothing new about one that is known.
        """
        self.ensure_one()
        before, now = self.channel_snapshot or {}, self._prepare_channel_snapshot(channel_order)
        differences = {}
        is_known = channel_order.is_masked and before.get("address")
        # An e-mail is no part of where the goods go: it is told with the billing address.
        if _forget_email(before.get("address")) != _forget_email(now["address"]) and not is_known:
            differences["address"] = {"before": before.get("address"), "now": now["address"]}
        if before.get("billing") and before["billing"] != now["billing"] and not channel_order.is_masked:
            differences["billing"] = {"before": before["billing"], "now": now["billing"]}
        if lines := self._get_line_differences(before.get("lines", {}), now["lines"]):
            differences["lines"] = lines
        if "shipping" in before and before["shipping"] != now["shipping"]:
            differences["shipping"] = {
                "before": ", ".join(before["shipping"]),
                "now": ", ".join(now["shipping"]),
            }
        if before.get("total") != now["total"]:
            differences["total"] = {"before": before.get("total"), "now": now["total"]}
        if "note" in before and before["note"] != now["note"]:
            differences["note"] = {"before": before["note"], "now": now["note"]}
        old, new = ({name: row.get("facts", {}).get(name, "") for name in SHIP_DATE_FACTS} for row in (before, now))
        if old != new and "facts" in before:
            differences["ship_date"] = {"before": _join(old), "now": _join(new)}
        return differences

    def _get_line_differences(self, before, now):
        """Return {line id: {...}} of the lines with another quantity, product or price than the shop said before."""
        differences = {}
        for key in {**before, **now}:
            old, new = before.get(key, {}), now.get(key, {})
            quantities = {"before": old.get("quantity", "0"), "now": new.get("quantity", "0")}
            changes = {}
            if old and new and _is_other_product(old, new):
                changes["replaced"] = {"before": old["sku"] or old["title"], "now": new["sku"] or new["title"]}
            if old.get("price") and new and abs(Decimal(new["price"]) - Decimal(old["price"])) >= CENT:
                changes["price"] = {"before": old["price"], "now": new["price"]}
            if changes or quantities["before"] != quantities["now"]:
                names = {name: new.get(name) or old.get(name) for name in ("sku", "title")}
                differences[key] = {**names, **quantities, **changes}
        return differences

    def _prepare_channel_snapshot(self, channel_order):
        """Return, JSON-able, what of a ChannelOrder matters to a change: addresses, open lines, total, requests."""
        address, billing = channel_order.shipping_address, channel_order.billing_address
        return {
            "address": asdict(address) if address else None,
            "billing": {**(asdict(billing) if billing else {}), "email": channel_order.email},
            "shipping": sorted(shipping.name for shipping in channel_order.shippings),
            "lines": {
                line.external_id: {
                    "sku": line.sku,
                    "title": line.title,
                    "quantity": f"{line.open_quantity.normalize():f}",
                    "variant": line.variant_external_id,
                    # Of one unit, with tax and after discount.
                    "price": f"{line.total / line.quantity:.4f}",
                }
                for line in channel_order.lines
                if line.open_quantity
            },
            "total": f"{channel_order.expected_total.normalize():f}",
            "note": channel_order.note,
            "refund_requests": self._prepare_refund_requests(channel_order),
            "sent": self._prepare_sent_units(channel_order),
            "facts": self._prepare_told_facts(self._prepare_channel_fact_values(channel_order)),
        }

    def _describe_differences(self, differences):
        """Return one line that says what changed."""
        names = {
            "address": self.env._("delivery address"),
            "billing": self.env._("billing address or e-mail"),
            "note": self.env._("note of the buyer"),
        }
        parts = [name for part, name in names.items() if part in differences]
        for line in differences.get("lines", {}).values():
            parts += self._describe_line_change(line)
        templates = {
            "total": self.env._("total %(old)s → %(new)s"),
            "shipping": self.env._("shipping method %(old)s → %(new)s"),
            "ship_date": self.env._("ship date %(old)s → %(new)s"),
        }
        for part, template in templates.items():
            if change := differences.get(part):
                parts.append(template % {"old": change["before"] or "-", "new": change["now"] or "-"})
        return ", ".join(parts)

    def _describe_line_change(self, line):
        """Return what changed of one line, as a list of texts."""
        name, parts = line.get("sku") or line.get("title") or "", []
        if line["before"] != line["now"]:
            parts.append(f"{name} {line['before']} → {line['now']}")
        if replaced := line.get("replaced"):
            parts.append(self.env._("other product %(old)s → %(new)s", old=replaced["before"], new=replaced["now"]))
        if price := line.get("price"):
            old, new = _show_price(price["before"]), _show_price(price["now"])
            parts.append(self.env._("price of %(name)s %(old)s → %(new)s", name=name, old=old, new=new))
        return parts

    def _rewrite_from_channel(self, channel_order, differences):
        """Write a quotation anew from the shop's order; an unknown product is an error of the message."""
        channel, vals = self.channel_id, {}
        if "note" in differences:
            vals["channel_note"] = channel_order.note
        if "address" in differences:
            [contact] = self.env["oms.channel.buyer"]._find_or_create_contacts(channel, [channel_order])
            vals |= {key: contact[key] for key in ("partner_shipping_id", "partner_invoice_id")}
        if "billing" in differences:
            self._apply_billing(channel_order, differences["billing"])
        if differences.keys() & {"lines", "total", "shipping"}:
            setup = self._prepare_channel_setup(channel, [channel_order])
            vals["channel_amount_total"] = float(channel_order.expected_total)
            vals["order_line"] = [
                Command.clear(),
                *(Command.create(line) for line in self._prepare_channel_line_values(channel, channel_order, setup)),
            ]
        self.with_context(tracking_disable=True).write(vals)
        self._add_rounding_lines()


def _forget_email(address):
    return {**address, "email": ""} if address else None


def _is_other_product(old, new):
    """By the shop's id of what was sold; a SKU may be renamed."""
    if old.get("variant") and new["variant"]:
        return old["variant"] != new["variant"]
    return old["sku"] != new["sku"]


def _show_price(text):
    return f"{Decimal(text):.2f}"


def _join(values):
    return ", ".join(value for value in values.values() if value)
