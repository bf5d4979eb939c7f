from odoo import fields, models

from ..stock_rule import StockRule


class OmsStockRuleMixin(models.AbstractModel):
    """How much of what is free a shop is told: of a channel, or of one of its listings."""

    _name = "oms.stock.rule.mixin"
    _description = "Stock Rule"

    stock_safety = fields.Float(string="Safety Stock", digits="Product Unit", help="Kept back from what is free.")
    stock_percent = fields.Float(
        string="Share (%)", default=100.0, digits=(5, 2), help="The share of the rest that this shop may sell."
    )
    stock_plus = fields.Float(
        string="Plus", digits="Product Unit", help="Told on top: what is bought or made while the order waits."
    )
    stock_minimum = fields.Float(string="At Least", digits="Product Unit", help="Told even when less is there.")
    stock_maximum = fields.Float(string="At Most", digits="Product Unit", help="0: no limit.")

    _stock_percent_range = models.Constraint(
        "CHECK(stock_percent >= 0 AND stock_percent <= 1000)", "The share of stock is between 0 and 1000 %."
    )
    _stock_limits = models.Constraint(
        "CHECK(COALESCE(stock_minimum, 0) >= 0 AND COALESCE(stock_maximum, 0) >= 0"
        " AND (COALESCE(stock_maximum, 0) = 0 OR stock_maximum >= COALESCE(stock_minimum, 0)))",
        "The limits of published stock can't be below 0, and the highest not below the lowest.",
    )

    def _get_stock_rule(self):
        """Return the `StockRule` of one record."""
        self.ensure_one()
        return StockRule(self.stock_safety, self.stock_percent, self.stock_plus, self.stock_minimum, self.stock_maximum)
