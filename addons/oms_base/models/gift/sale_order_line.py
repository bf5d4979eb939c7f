from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SaleOrderLine(models.Model):
    """A line that is a gift: which rule gave it, and for which lines. It never costs anything."""

    _inherit = "sale.order.line"

    oms_gift_id = fields.Many2one(
        "oms.gift", string="Gift", copy=False, readonly=True, index="btree_not_null", ondelete="restrict"
    )
    oms_gift_action_id = fields.Many2one(
        "oms.rule.action", string="Given By", copy=False, readonly=True, index="btree_not_null", ondelete="set null"
    )
    oms_gift_rule_version_id = fields.Many2one(
        "oms.rule.version", string="Gift Rule", copy=False, readonly=True, index="btree_not_null", ondelete="set null"
    )
    oms_gift_parent_ids = fields.Many2many(
        "sale.order.line",
        "oms_gift_parent_rel",
        "gift_line_id",
        "parent_line_id",
        string="Given For",
        copy=False,
        readonly=True,
        help="The lines that earned this gift.",
    )
    oms_gift_line_ids = fields.Many2many(
        "sale.order.line",
        "oms_gift_parent_rel",
        "parent_line_id",
        "gift_line_id",
        string="Gifts",
        copy=False,
        readonly=True,
    )

    # === COMPUTE METHODS === #

    def _compute_price_unit(self):
        """Override of `sale`: a gift costs nothing, whatever price list, quantity or date say."""
        gifts = self.filtered("oms_gift_id")
        res = super(SaleOrderLine, self - gifts)._compute_price_unit()
        gifts.price_unit = gifts.technical_price_unit = 0.0
        return res

    def _compute_tax_ids(self):
        """Override of `sale`: a tax of a fixed sum a piece would give a gift a price."""
        gifts = self.filtered("oms_gift_id")
        res = super(SaleOrderLine, self - gifts)._compute_tax_ids()
        gifts.tax_ids = False
        return res

    def _compute_name(self):
        """Override of `sale`: a gift is called one, in the buyer's language."""
        gifts = self.filtered("oms_gift_id")
        res = super(SaleOrderLine, self - gifts)._compute_name()
        for line in gifts:
            line.name = line.order_id._get_gift_line_name(line.product_id)
        return res

    @api.constrains("price_unit", "oms_gift_id")
    def _check_gift_price(self):
        priced = self.filtered(lambda line: line.oms_gift_id and line.price_unit)
        if priced:
            raise ValidationError(
                self.env._(
                    "%(product)s in %(order)s is a gift and can't have a price. Add a line of its own to sell it.",
                    product=priced[0].product_id.display_name,
                    order=priced[0].order_id.name,
                )
            )

    # === HOOKS === #

    def _get_keep_together_key(self):
        """Extended: a gift travels with the first line that earned it. Only that one, so that an order of many lines
        can still be split."""
        key = super()._get_keep_together_key()
        if key:
            return key
        parent = self.oms_gift_parent_ids.sorted("id")[:1] if self.oms_gift_id else self
        if self.oms_gift_id and parent:
            return parent._get_keep_together_key()
        if any(gift.oms_gift_parent_ids.sorted("id")[:1] == self for gift in self.oms_gift_line_ids):
            return f"gift,{self.id}"
        return key


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _get_copiable_order_lines(self):
        """Override of `sale`: a copied order earns its own gifts."""
        return super()._get_copiable_order_lines().filtered(lambda line: not line.oms_gift_id)

    def _get_gift_line_name(self, product):
        """Return what a gift is called in this order, in the buyer's language."""
        self.ensure_one()
        named = product.with_context(lang=self._get_lang(), display_default_code=False)
        return named.env._("Gift: %(product)s", product=named.display_name)
