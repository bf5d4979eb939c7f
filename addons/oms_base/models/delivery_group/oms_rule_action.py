from odoo import api, fields, models


class OmsRuleAction(models.Model):
    """Actions "merge" and "split": what travels together."""

    _inherit = "oms.rule.action"

    type = fields.Selection(
        selection_add=[("merge", "Merge into one parcel"), ("split", "Split into parcels"), ("webhook",)],
        ondelete={"merge": "cascade", "split": "cascade"},
    )
    split_kind = fields.Selection(
        [
            ("shortage", "what is there and what is not"),
            ("warehouse", "warehouse"),
            ("weight", "weight"),
            ("presale", "pre-sale date"),
            ("value", "value"),
        ],
        string="Split By",
    )
    split_limit = fields.Float(help="Most that one parcel may weigh (kg), or be worth (with taxes).")

    @api.model
    def _get_needed_fields(self):
        return super()._get_needed_fields() | {"split": ["split_kind"]}

    @api.model
    def _get_content_fields(self):
        return [*super()._get_content_fields(), "split_kind", "split_limit"]

    @api.model
    def _get_written_fields(self):
        groups = ["oms_delivery_group_ids"]
        return super()._get_written_fields() | {"merge": groups, "split": groups}

    def _is_overruled_by(self, other, is_later):
        """Override of the check of rules: what is sealed is not merged, unless it was before; what is split is not in
        one parcel, whichever comes first."""
        types = (self.type, other.type)
        if types in (("merge", "seal"), ("seal", "merge")):
            return not is_later
        return types == ("merge", "split") or super()._is_overruled_by(other, is_later)

    def _is_conditional(self):
        """Override of the check of rules: there may be nothing to merge with, and nothing to split."""
        return self.type in ("merge", "split") or super()._is_conditional()

    def _run_merge(self, orders):
        orders._oms_merge_with_candidates()

    def _describe_merge(self):
        return self.env._("send it in one parcel with the buyer's other orders")

    def _run_split(self, orders):
        options = {"limit": self.split_limit} if self.split_kind in ("weight", "value") else {}
        orders._oms_split_by(self.split_kind, **options)

    def _describe_split(self):
        if self.split_kind in ("weight", "value"):
            return self.env._(
                "split it into parcels by %(kind)s, up to %(limit)g each",
                kind=self._get_label("split_kind"),
                limit=self.split_limit,
            )
        return self.env._("split it into parcels by %(kind)s", kind=self._get_label("split_kind"))
