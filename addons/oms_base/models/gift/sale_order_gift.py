from odoo import models
from odoo.fields import Domain
from odoo.tools.float_utils import float_round

# A gift is for orders that still are orders.
GIFT_STATES = ("draft", "sent", "sale")


class SaleOrder(models.Model):
    """What orders earn: their goods measured, in constant queries for any number of orders."""

    _inherit = "sale.order"

    # === FOR OTHERS === #

    def _get_gift_lines(self, action=None):
        """Return the lines of these orders that are gifts, or those given by one action."""
        lines = self.order_line.filtered("oms_gift_id")
        return lines.filtered(lambda line: line._oms_get_gift_action() == action) if action else lines

    def _get_gift_cost(self):
        """Return what the gifts of each of these orders cost: {order id: amount in the currency of its company}."""
        costs = dict.fromkeys(self.ids, 0.0)
        for company, lines in self._get_gift_lines().grouped("company_id").items():
            for line in lines:
                costs[line.order_id.id] += line.product_uom_qty * line.product_id.with_company(company).standard_price
        return costs

    # === WHAT IS EARNED === #

    def _oms_get_target_gifts(self, action):
        """Return what these orders should have by ``action``, its limits kept.

        :return: dict {order: {product id: quantity in the product's unit}}; orders that get nothing are not in it
        """
        gift = action.gift_id
        terms = gift._get_terms()
        wanted = {}
        for order, measure in self._oms_measure_for_gift(gift).items():
            if quantities := terms.count(measure):
                wanted[order] = quantities
        return self._oms_limit_gifts(action, wanted)

    def _oms_measure_for_gift(self, gift):
        """Return {order: amount or pieces} of what counts for ``gift``, only orders of which something counts."""
        orders = self.filtered(lambda order: order._oms_may_get_gift(gift))
        lines_by_order = orders._oms_get_earning_lines(gift)
        kept = orders._oms_get_kept_shares()
        measures = {}
        for order, lines in lines_by_order.items():
            if gift.basis == "quantity":
                measure = sum(line._oms_get_pieces() * kept.get(line, 1.0) for line in lines)
            else:
                measure = sum(line.price_total * kept.get(line, 1.0) for line in lines)
                measure *= order._oms_get_discount_share()
            if measure > 0:
                measures[order] = measure
        if gift.basis == "amount":
            orders._oms_convert_measures(measures, gift.currency_id)
        return measures

    def _oms_may_get_gift(self, gift):
        """Whether one order is of a time, channel and company that ``gift`` is for."""
        self.ensure_one()
        return bool(
            gift.active
            and self.state in GIFT_STATES
            and self.channel_id not in gift.excluded_channel_ids
            and (not gift.company_id or gift.company_id == self.company_id)
            and (not gift.date_from or gift.date_from <= self.date_order)
            and (not gift.date_to or self.date_order < gift.date_to)
        )

    def _oms_get_earning_lines(self, gift):
        """Return {order: its lines that count for ``gift``}, only orders that have such lines."""
        lines = self.order_line.filtered(lambda line: line._oms_earns_gifts())
        if gift.scope != "all" and lines:
            products = lines.product_id.with_context(active_test=False)
            counting = products.search(gift._get_counting_domain() & Domain("id", "in", products.ids))
            lines = lines.filtered(lambda line: line.product_id in counting)
        return lines.grouped("order_id")

    def _oms_get_discount_share(self):
        """Return what is left of a price in one order after discounts that are lines of their own: 1 is all of it."""
        self.ensure_one()
        totals = [line.price_total for line in self.order_line if not line.display_type and not line.is_downpayment]
        positive, negative = sum(t for t in totals if t > 0), sum(t for t in totals if t < 0)
        return max(1 + negative / positive, 0.0) if positive else 0.0

    def _oms_get_kept_shares(self):
        """Return {line: share of its quantity that was not refunded}, only lines that were refunded in part or all.

        Of the ordered quantity, not of the delivered one: Odoo has taken what was returned off that already. What was
        taken off the ordered quantity with the refund counts no more in either.
        """
        shares = {}
        for line in self.filtered(lambda order: order.state == "sale").order_line:
            refunds = line.invoice_lines.filtered(
                lambda row: (
                    row.parent_state == "posted"
                    and row.move_id.move_type == "out_refund"
                    and not row._oms_is_taken_off_order()
                )
            )
            if refunds and line.product_uom_qty:
                refunded = sum(row._oms_get_refunded_quantity() for row in refunds)
                shares[line] = max(1 - refunded / line.product_uom_qty, 0.0)
        return shares

    def _oms_convert_measures(self, measures, currency):
        """Convert the amounts in ``measures`` to ``currency``, by the rate of each order's day."""
        rates = {}
        for order, amount in measures.items():
            if order.currency_id == currency:
                continue
            key = (order.currency_id, order.company_id, order.date_order.date())
            if key not in rates:
                rates[key] = self.env["res.currency"]._get_conversion_rate(order.currency_id, currency, *key[1:])
            measures[order] = float_round(amount * rates[key], precision_rounding=currency.rounding)

    # === JUDGED AGAIN === #

    def _oms_filter_dependent(self, specs, parts):
        """Override of the review: a rule that gives gifts depends on the lines, whatever its conditions look at."""
        dependent = super()._oms_filter_dependent(specs, parts)
        if not parts & {"lines", "parcel"}:
            return dependent
        gift_rule_ids = self.env["oms.rule.action"]._get_gift_rule_ids()
        return [spec for spec in specs if spec in dependent or spec.id in gift_rule_ids]

    def _oms_rejudge_gifts(self):
        """Compute again what these orders have earned with what was refunded taken off, by the rules that gave their
        gifts. What is still here is put right; what has left and was not earned is to be claimed back."""
        # sudo: sale.order - who posts a credit note need not be able to change orders
        orders = (
            self.sudo()
            .with_context(oms_in_review=True)
            .filtered(lambda order: order.channel_id and order.state in GIFT_STATES)
        )
        for action, lines in orders._get_gift_lines().grouped(lambda line: line._oms_get_gift_action()).items():
            if action:
                todo = lines.order_id
                todo._oms_apply_gifts(action, todo._oms_get_target_gifts(action), is_refund=True)


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _oms_get_gift_action(self):
        """Return the action by which one gift was given, or the one that has taken its place in the rule."""
        self.ensure_one()
        if self.oms_gift_action_id:
            return self.oms_gift_action_id
        others = self.oms_gift_rule_version_id.rule_id.action_ids
        return others.filtered(lambda action: action.gift_id == self.oms_gift_id)[:1]

    def _oms_earns_gifts(self):
        """Whether this line counts for gifts: goods that cost something. Can be narrowed."""
        self.ensure_one()
        return bool(
            self.product_id.type == "consu"
            and not self.display_type
            and not self.is_downpayment
            and not self.oms_gift_id
            and self.price_total > 0
        )

    def _oms_get_pieces(self):
        """Return the quantity in the product's unit."""
        self.ensure_one()
        return self.product_uom_id._compute_quantity(self.product_uom_qty, self.product_id.uom_id, round=False)
