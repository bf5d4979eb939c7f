from odoo import api, fields, models
from odoo.tools import SQL

from .oms_coupon import normalise_code
from .sale_order_keys import KEY_FIELDS
from .sql_fact import by_compute


class SaleOrder(models.Model):
    """Facts about the coupons an order was placed with."""

    _inherit = "sale.order"

    oms_coupon_codes = fields.Char(
        string="Coupons", copy=False, help="Codes of the coupons the buyer used, separated by commas."
    )
    oms_coupon_problem = fields.Char(
        string="Coupon Problem",
        compute="_compute_oms_coupon_problem",
        search=by_compute("oms_coupon_problem"),
        help="A coupon that is unknown, not valid on the day, used beyond its limit, or with too large a discount."
        " Judged only where a coupon is kept for the channel.",
    )

    @api.depends(
        "oms_coupon_codes",
        "oms_coupon_key",
        "channel_id",
        "company_id",
        "date_order",
        "oms_buyer_key",
        "oms_discount_rate",
    )
    def _compute_oms_coupon_problem(self):
        self.oms_coupon_problem = False
        used = self.filtered(lambda order: order.channel_id and order._get_coupon_codes())
        if not used:
            return
        # sudo: oms.coupon - whoever opens the order sees what is wrong with its coupons
        coupons = self.env["oms.coupon"].sudo().search([("company_id", "in", (False, *used.company_id.ids))])
        uses = used._count_coupon_uses(coupons.filtered(lambda c: c.usage_limit or c.usage_limit_per_buyer))
        for order in used:
            # A coupon of the company, or of the channel, goes before one that is for all.
            valid = coupons.filtered(
                lambda coupon, order=order: (
                    (not coupon.company_id or coupon.company_id == order.company_id)
                    and (not coupon.channel_ids or order.channel_id in coupon.channel_ids)
                )
            ).sorted(lambda coupon: (bool(coupon.channel_ids), bool(coupon.company_id)))
            by_code = {coupon.code: coupon for coupon in valid}
            if by_code:
                problems = (
                    order._get_coupon_problem(code, by_code.get(code), *uses.get((order._origin.id, code), (0, 0)))
                    for code in order._get_coupon_codes()
                )
                order.oms_coupon_problem = "; ".join(filter(None, problems)) or False

    def _get_coupon_codes(self):
        """Return the codes of one order's coupons, each once, as they are compared."""
        self.ensure_one()
        if not self.oms_coupon_codes:  # most orders
            return []
        codes = (normalise_code(code) for code in self.oms_coupon_codes.replace("，", ",").split(","))
        return sorted({code for code in codes if code})

    def _get_coupon_problem(self, code, coupon, uses, buyer_uses):
        """Return what is wrong with one coupon of one order, or None.

        :param uses: by how many earlier orders it was used
        :param buyer_uses: by how many of the same buyer
        """
        self.ensure_one()
        if not coupon:
            return self.env._("%(code)s is unknown", code=code)
        if coupon.date_from and self.date_order < coupon.date_from:
            return self.env._("%(code)s is not valid yet", code=code)
        if coupon.date_to and self.date_order > coupon.date_to:
            return self.env._("%(code)s has expired", code=code)
        if coupon.usage_limit and uses >= coupon.usage_limit:
            return self.env._("%(code)s was used up (%(limit)s times)", code=code, limit=coupon.usage_limit)
        if coupon.usage_limit_per_buyer and buyer_uses >= coupon.usage_limit_per_buyer:
            return self.env._("%(code)s was used before by this buyer", code=code)
        if coupon.max_discount and self.oms_discount_rate > coupon.max_discount:
            return self.env._(
                "%(code)s allows %(limit)s %% discount, the order has %(discount)s %%",
                code=code,
                limit=round(coupon.max_discount, 2),
                discount=round(self.oms_discount_rate, 2),
            )
        return None

    def _count_coupon_uses(self, coupons):
        """Return {(order id, code): (uses by earlier orders, by those of the same buyer)} of the limited coupons."""
        codes, ids = tuple(set(coupons.mapped("code"))), tuple(self._origin.ids)
        if not codes or not ids:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT o.id, code, COUNT(e.id), COUNT(e.id) FILTER (WHERE e.oms_buyer_key = o.oms_buyer_key)
                  FROM sale_order o
                  CROSS JOIN LATERAL unnest(string_to_array(o.oms_coupon_key, ',')) code
                  JOIN sale_order e
                    ON string_to_array(e.oms_coupon_key, ',') @> ARRAY[code]
                   AND e.company_id = o.company_id AND e.state != 'cancel'
                   AND (e.date_order, e.id) < (o.date_order, o.id)
                 WHERE o.id IN %s AND code IN %s
                 GROUP BY o.id, code
                """,
                ids,
                codes,
                to_flush=self._get_source_fields("sale.order", "date_order", "state", "company_id", *KEY_FIELDS),
            )
        )
        return {(order_id, code): (uses, buyer_uses) for order_id, code, uses, buyer_uses in rows}
