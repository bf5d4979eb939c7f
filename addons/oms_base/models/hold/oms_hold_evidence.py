from odoo import models
from odoo.tools.misc import format_amount

# Keys of evidence whose words no field of the order has.
FIELD_OF_KEY = {"address_problem": "oms_address_problem", "shortage": "oms_shortage"}
# Keys that say what a part of the evidence is about.
NAME_KEYS = ("product", "title", "name", "sku")


class OmsHold(models.Model):
    """What the rule saw, in words."""

    _inherit = "oms.hold"

    def _get_rule_sentence(self):
        """Return the words that say what the rule of one hold is about. Can be refined by who knows the rule better."""
        return self.rule_id.sudo().display_name or ""  # sudo: oms.rule - its name only

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
            "lines": self.env._("Lines"),
            "address": self.env._("Address"),
            "total": self.env._("Total"),
            "refund_requests": self.env._("Refund requests"),
        }

    def _get_key_label(self, key):
        """Return the label of the order's field of that name, or the key itself in words."""
        fields = self.order_id._fields
        name = next((name for name in (FIELD_OF_KEY.get(key), key, f"oms_{key}") if name in fields), None)
        return fields[name]._description_string(self.env) if name else str(key).replace("_", " ").capitalize()

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
            return self._format_evidence_dict(value)
        return str(value)

    def _format_evidence_dict(self, values):
        """Return a dict in words, what it is about first: "Mouse: ordered 12, sellable 3"."""
        labels = self._get_evidence_labels()
        name = next((values[key] for key in NAME_KEYS if values.get(key)), "")
        parts = [
            f"{labels.get(key) or self._get_key_label(key)} {self._format_evidence(key, value)}"
            for key, value in values.items()
            if key not in NAME_KEYS and value not in (None, "", [], {})
        ]
        return ": ".join(part for part in (str(name), ", ".join(parts)) if part)
