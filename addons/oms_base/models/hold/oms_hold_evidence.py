import re

from odoo import models
from odoo.tools.misc import format_amount

# Keys whose value a shop told as the text of an amount.
AMOUNT_KEYS = ("total", "amount")
AMOUNT = re.compile(r"-?\d+(\.\d+)?")
# Keys that say what a part of the evidence is about.
NAME_KEYS = ("product", "title", "name", "sku")


class OmsHold(models.Model):
    """What the rule saw, in words."""

    _inherit = "oms.hold"

    def _get_rule_sentence(self):
        """Return the words that say what the rules of one hold are about."""
        sentences = (self._get_reason_sentence(reason) for reason in self._get_told_reasons())
        return "\n".join(dict.fromkeys(sentence for sentence in sentences if sentence))

    def _get_reason_sentence(self, reason):
        """Return the words that say what the rule of one of its reasons is about. Can be refined by who knows the rule
        better."""
        return reason.rule_id.sudo().display_name or ""  # sudo: oms.rule - its name only

    def _get_told_reasons(self):
        """Return the reasons that a reader of one hold has to know: those that stand, or all when none does."""
        return self.standing_reason_ids or self.reason_ids

    def _get_evidence(self):
        """Return what the rule saw of one order as a list of {"label", "value"}; what was empty is left out."""
        self.ensure_one()
        data = self.data if isinstance(self.data, dict) else {}
        labels = self._get_evidence_labels()
        return [
            {"label": labels.get(key) or self._get_key_label(key), "value": self._format_evidence(key, value)}
            for key, value in data.items()
            if value not in (None, "", False, [], {})
        ]

    def _get_evidence_labels(self):
        """Return {key of the evidence: its words}. To be extended by addons that place holds with keys of their own."""
        return {
            "before": self.env._("before"),
            "now": self.env._("now"),
            "ordered": self.env._("ordered"),
            "sellable": self.env._("sellable"),
            "cancelled": self.env._("Cancelled in the shop"),
            "reopened": self.env._("Opened again in the shop"),
            "refunded": self.env._("Given back in the shop"),
            "sent": self.env._("Sent by the shop"),
            "lines": self.env._("Lines"),
            "replaced": self.env._("other product"),
            "price": self.env._("price"),
            "address": self.env._("Address"),
            "billing": self.env._("Billing address and e-mail"),
            "shipping": self.env._("Shipping method"),
            "total": self.env._("Total"),
            "note": self.env._("Note of the buyer"),
            "ship_date": self.env._("Ship date"),
            "refund_requests": self.env._("Refund requests"),
            "differences": self.env._("Gifts to put right"),
        }

    def _get_part_labels(self):
        """Return {part of what was changed: its words}, where no field of the order or its contact has them."""
        return {
            "name": self.env._("Receiver"),
            "district": self.env._("District"),
            "province": self.env._("Province"),
            "country_code": self.env._("Country"),
        }

    def _get_key_label(self, key):
        """Return the label of the order's field of that name, or of the contact's, or the key itself in words."""
        order, contact = self.order_id, self.partner_id
        for name, model in ((key, order), (f"oms_{key}", order), (key, contact)):
            if name in model._fields:
                return model._fields[name]._description_string(self.env)
        return str(key).replace("_", " ").capitalize()

    def _format_evidence(self, key, value):
        """Return one value of the evidence in words."""
        if isinstance(value, bool):
            return self.env._("yes") if value else self.env._("no")
        if isinstance(value, int | float):
            field = self.order_id._fields.get(key)
            is_money = field is not None and field.type == "monetary"
            return format_amount(self.env, value, self.currency_id) if is_money else f"{value:g}"
        if isinstance(value, list | tuple):
            return "\n".join(self._format_evidence(key, item) for item in value)
        if isinstance(value, dict):
            return self._format_evidence_dict(key, value)
        return str(value)

    def _format_change(self, key, before, now):
        """Return what changed: "2 → 1", or of an address each part that did: "Street: 文三路 → 延安路"."""
        if not isinstance(before or {}, dict) or not isinstance(now or {}, dict):
            return f"{self._format_side(key, before)} → {self._format_side(key, now)}"
        before, now = before or {}, now or {}
        labels = self._get_part_labels()
        return "\n".join(
            f"{labels.get(part) or self._get_key_label(part)}: "
            f"{self._format_side(part, before.get(part))} → {self._format_side(part, now.get(part))}"
            for part in {**before, **now}
            if (before.get(part) or "") != (now.get(part) or "")
        )

    def _format_side(self, key, value):
        """Return one side of a change; amounts come from shops as text."""
        if value in (None, "", False, [], {}):
            return self.env._("nothing")
        if key in AMOUNT_KEYS and isinstance(value, str) and AMOUNT.fullmatch(value):
            return format_amount(self.env, float(value), self.currency_id)
        return self._format_evidence(key, value)

    def _format_evidence_dict(self, key, values):
        """Return a dict in words, what it is about first: "Mouse: ordered 12, sellable 3"."""
        if values.keys() <= {"before", "now"}:
            return self._format_change(key, values.get("before"), values.get("now"))
        # Several of a kind, by keys that nobody knows.
        if all(isinstance(value, dict) or str(name).isdigit() for name, value in values.items()):
            return "\n".join(self._format_evidence(key, value) for value in values.values())
        labels = self._get_evidence_labels()
        name = next((values[key] for key in NAME_KEYS if values.get(key)), "")
        parts = [
            f"{labels.get(part) or self._get_key_label(part)} {self._format_evidence(part, value)}"
            for part, value in values.items()
            if part not in (*NAME_KEYS, "before", "now") and value not in (None, "", [], {})
        ]
        if "before" in values or "now" in values:
            parts.insert(0, self._format_change(key, values.get("before"), values.get("now")))
        return ": ".join(part for part in (str(name), ", ".join(parts)) if part)
