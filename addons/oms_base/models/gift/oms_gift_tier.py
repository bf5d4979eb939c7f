from odoo import api, fields, models

from .terms import Tier


class OmsGiftTier(models.Model):
    """From how much on a gift is given, and what."""

    _name = "oms.gift.tier"
    _description = "Gift Tier"
    _order = "threshold, sequence, id"

    gift_id = fields.Many2one("oms.gift", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="gift_id.company_id")
    sequence = fields.Integer(default=10)
    threshold = fields.Float(string="From", digits=(16, 2), help="Amount or pieces. 0: for every order of goods.")
    line_ids = fields.One2many("oms.gift.tier.line", "tier_id", string="Gives", copy=True)
    summary = fields.Char(string="In Words", compute="_compute_summary")

    _threshold_uniq = models.UniqueIndex("(gift_id, threshold)", "A gift can't have two tiers from the same threshold.")
    _threshold_check = models.Constraint("CHECK(threshold >= 0)", "A tier can't begin below 0.")

    @api.depends_context("lang")
    @api.depends("threshold", "line_ids.product_id", "line_ids.quantity", "gift_id.basis", "gift_id.is_multiple")
    def _compute_summary(self):
        for tier in self:
            tier.summary = tier._get_words()

    @api.depends("summary")
    def _compute_display_name(self):
        for tier in self:
            tier.display_name = tier.summary

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        tiers = super().create(vals_list)
        tiers.gift_id._after_terms_change()
        return tiers

    def write(self, vals):
        res = super().write(vals)
        self.gift_id._after_terms_change()
        return res

    def unlink(self):
        gifts = self.gift_id
        res = super().unlink()
        gifts.exists()._after_terms_change()
        return res

    def _prepare_terms(self):
        """Return this tier as a `terms.Tier`."""
        self.ensure_one()
        return Tier(self.threshold, tuple((line.product_id.id, line.quantity) for line in self.line_ids))

    def _get_words(self):
        self.ensure_one()
        gifts = self.env._(" and ").join(
            self.env._("%(quantity)g × %(product)s", quantity=line.quantity, product=line._get_product_name())
            for line in self.line_ids
        )
        gifts = gifts or self.env._("nothing")
        if not self.threshold:
            return gifts
        threshold = f"{self.threshold:.2f}" if self.gift_id.basis == "amount" else f"{self.threshold:g}"
        if self.gift_id.is_multiple:
            return self.env._("%(gifts)s for every %(threshold)s", gifts=gifts, threshold=threshold)
        return self.env._("%(gifts)s from %(threshold)s", gifts=gifts, threshold=threshold)


class OmsGiftTierLine(models.Model):
    """One product of a tier."""

    _name = "oms.gift.tier.line"
    _description = "Gift Tier Product"
    _order = "sequence, id"
    _check_company_auto = True

    tier_id = fields.Many2one("oms.gift.tier", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="tier_id.company_id")
    sequence = fields.Integer(default=10)
    product_id = fields.Many2one(
        "product.product",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain=[("type", "=", "consu")],
    )
    quantity = fields.Float(default=1.0, digits="Product Unit", required=True)
    uom_id = fields.Many2one(related="product_id.uom_id")

    _quantity_check = models.Constraint("CHECK(quantity > 0)", "A gift must be at least one piece.")

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.tier_id.gift_id._after_terms_change()
        return lines

    def write(self, vals):
        res = super().write(vals)
        self.tier_id.gift_id._after_terms_change()
        return res

    def unlink(self):
        gifts = self.tier_id.gift_id
        res = super().unlink()
        gifts.exists()._after_terms_change()
        return res

    def _get_product_name(self):
        return self.product_id.with_context(display_default_code=False).display_name or ""
