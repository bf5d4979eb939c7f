from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import ormcache

from ...const import SHIPPED_NUMBER, UNSHIPPED_STAGES
from .const import TRIGGERS

# A change of these fields is a change of that part of the order, by model.
ADDRESS_FIELDS = ("name", "street", "street2", "city", "zip", "state_id", "country_id", "phone")
WATCHED_FIELDS = {
    "sale.order": {
        "partner_id": "buyer",
        "partner_shipping_id": "address",
        "note": "note",
        "channel_note": "note",
        "oms_coupon_codes": "lines",
        "channel_amount_total": "lines",
        **dict.fromkeys(("oms_amount_paid", "oms_is_presale", "oms_presale_ship_date", "oms_waits_for"), "payment"),
        **dict.fromkeys(("oms_channel_risk", "oms_buyer_ip"), "risk"),
        **dict.fromkeys(("commitment_date", "carrier_id"), "delivery"),
        **dict.fromkeys(("tag_ids", "client_order_ref"), "reference"),
    },
    "sale.order.line": {
        **dict.fromkeys(
            ("product_id", "product_uom_qty", "product_uom_id", "price_unit", "discount", "tax_ids"), "lines"
        ),
        "oms_ship_from": "delivery",
    },
    "res.partner": dict.fromkeys(ADDRESS_FIELDS, "address"),
}
# Others write these by themselves, of many orders: they count only where a rule asks for them.
QUIET_PARTS = {"risk", "delivery", "reference", "parcel"}
# What of the contact of the buyer is a change of the buyer.
BUYER_FIELDS = {"email", "phone"}


class SaleOrder(models.Model):
    """What changed since an order was judged. A change is marked, and what depends on it is judged again: in the
    background, or at the latest before the next gate."""

    _inherit = "sale.order"

    oms_pending_parts = fields.Char(
        string="To Judge Again", copy=False, readonly=True, help="What changed since the order was judged."
    )
    oms_changes = fields.Json(
        copy=False, readonly=True, help="The number of the event by which each part of the order changed last."
    )

    _oms_pending_idx = models.Index("(id) WHERE oms_pending_parts IS NOT NULL")

    def write(self, vals):
        parts = self._oms_get_changed_parts(vals)
        res = super().write(vals)
        if parts:
            self._oms_after_change(parts)
        return res

    @api.model
    def _oms_get_watched_fields(self):
        """Return {model: {field: part}}: what counts as a change of an order. To be extended with {field: part} of an
        addon's own; parts are the keys of `_oms_get_part_names`."""
        return WATCHED_FIELDS

    @api.model
    def _oms_get_changed_parts(self, vals, model="sale.order"):
        """Return the parts that writing ``vals`` on ``model`` changes; none while a review itself is writing."""
        if self._oms_is_review_writing():
            return set()
        watched = self._oms_get_watched_fields().get(model, {})
        return {watched[name] for name in vals if name in watched}

    @api.model
    def _oms_is_review_writing(self):
        """Return whether it is a review that writes now: it does with the rights of the system, so that nobody hides a
        change from it by sending this key of the context along."""
        return self.env.su and bool(self.env.context.get("oms_in_review"))

    def _oms_after_change(self, parts):
        """Mark what changed of these orders and have what depends on it judged again in the background.

        Orders that were not judged yet, and those that left, need nothing.

        :param parts: set of keys of `_oms_get_part_names`
        """
        parts = set(parts)
        if quiet := parts & QUIET_PARTS:
            parts -= quiet - self._oms_get_asked_parts()
        if not parts:
            return
        # sudo: sale.order - the marks are the suite's own, whoever may change the order makes them
        orders = self.sudo().filtered(
            lambda order: (
                order.channel_id
                and (order.oms_review_date or self._oms_is_review_writing())
                and order.oms_stage_number < SHIPPED_NUMBER
            )
        )
        if not orders:
            return
        # Of a change and a release in the same second the events still tell which was first.
        events = orders._oms_log_event("changed", message=orders._oms_get_part_labels(parts))
        number = max(events._ids)
        for (pending, changes), group in orders.grouped(
            lambda order: (order.oms_pending_parts, tuple(sorted((order.oms_changes or {}).items())))
        ).items():
            group.write(
                {
                    "oms_pending_parts": ",".join(sorted({*(pending or "").split(","), *parts} - {""})),
                    "oms_changes": {**dict(changes), **dict.fromkeys(parts, number)},
                }
            )
        orders._oms_trigger_review()

    @api.model
    @ormcache()
    def _oms_get_asked_parts(self):
        """Return the parts of an order that the conditions of some live rule depend on."""
        specs = self.env["oms.rule"]._get_live_specs(tuple(trigger for trigger, _label in TRIGGERS))
        return frozenset().union(*(self._oms_get_parts(spec.domain) for spec in specs))

    @api.model
    def _oms_get_part_labels(self, parts):
        labels = self._oms_get_part_names()
        return ", ".join(labels[part] for part in sorted(parts))

    @api.model
    def _oms_get_part_names(self):
        """Return {part of an order that may change: its words}."""
        return {
            "address": self.env._("Address"),
            "buyer": self.env._("Buyer"),
            "lines": self.env._("Lines"),
            "payment": self.env._("Payment"),
            "note": self.env._("Note"),
            "risk": self.env._("Risk"),
            "delivery": self.env._("Terms of delivery"),
            "reference": self.env._("Reference and tags"),
        }

    def _oms_judge_changes(self):
        """Judge again what depends on the changes of these orders, and forget the changes."""
        for pending, orders in self.filtered("oms_pending_parts").grouped("oms_pending_parts").items():
            triggers = ("received", "changed", "confirm")
            orders._oms_review(triggers, parts=set(pending.split(",")))
            # sudo: sale.order - as above
            orders.sudo().oms_pending_parts = False


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        if not self.env["sale.order"]._oms_is_review_writing():
            lines.order_id._oms_after_change({"lines"})
        return lines

    def write(self, vals):
        parts = self.env["sale.order"]._oms_get_changed_parts(vals, self._name)
        res = super().write(vals)
        if parts:
            self.order_id._oms_after_change(parts)
        return res

    def unlink(self):
        orders = self.env["sale.order"] if self.env["sale.order"]._oms_is_review_writing() else self.order_id
        res = super().unlink()
        orders._oms_after_change({"lines"})
        return res


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        Order = self.env["sale.order"]
        parts = Order._oms_get_changed_parts(vals, self._name)
        is_buyer_changed = bool(BUYER_FIELDS & vals.keys()) and not Order._oms_is_review_writing()
        res = super().write(vals)
        Order = Order.sudo()  # sudo: sale.order - who may correct a contact need not see the orders of it
        is_open = Domain("oms_stage", "in", UNSHIPPED_STAGES)
        if parts:
            Order.search(Domain("partner_shipping_id", "in", self.ids) & is_open)._oms_after_change(parts)
        if is_buyer_changed:
            Order.search(Domain("partner_id", "in", self.ids) & is_open)._oms_after_change({"buyer"})
        return res
