from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.models.review import domain_words

from ... import solver
from .spec import RuleSpec

# Who rejected an order is no candidate for what it rejected; it stands beside the rules of strategies.
REJECTION = RuleSpec(id=0, name="", type="rejected")
FURTHER = RuleSpec(id=0, name="", type="split")


class SaleOrder(models.Model):
    """Which warehouses may not serve an order, and why.

    A type of rule has a method `_oms_refuse_<type>(rule, places)` that returns {order: ids of warehouses it keeps away}
    of the orders it is called on.
    """

    _inherit = "sale.order"

    def _oms_get_refusals(self, demands, places, strategies, sent_ids):
        """Return {order: [(RuleSpec, solver.Refusal, warehouse id), ...]}.

        :param demands: see `_oms_plan`
        :param places: see `_oms_get_places`
        :param sent_ids: see `Sourcing`
        """
        refusals = {}
        orders_by_rule = {}
        for order in self:
            for rule in strategies[order].rules:
                orders_by_rule.setdefault(rule, self.browse())
                orders_by_rule[rule] |= order
        for rule, orders in orders_by_rule.items():
            orders = orders._oms_filter_by_text(rule.order_domain)
            products = orders._oms_get_refused_products(rule, demands)
            for order, warehouse_ids in getattr(orders, f"_oms_refuse_{rule.type}")(rule, places).items():
                found = [None] if products is None else sorted(products.get(order, ()))
                refusals.setdefault(order, []).extend(
                    (rule, solver.Refusal(rule.type, product_id, (("rule", rule.name),)), warehouse_id)
                    for warehouse_id in sorted(warehouse_ids)
                    for product_id in found
                )
        for order, product_id, warehouse in self._oms_get_rejections():
            refusals.setdefault(order, []).append((REJECTION, solver.Refusal("rejected", product_id), warehouse.id))
        for order, warehouse_id in self._oms_get_further(places, strategies, sent_ids):
            refusals.setdefault(order, []).append((FURTHER, solver.Refusal("split"), warehouse_id))
        return refusals

    def _oms_filter_by_text(self, text):
        """Return those of these orders that a rule's domain is about; facts count too."""
        domain = domain_words.parse(text)
        if domain.is_true() or not self:
            return self
        return self.search(Domain("id", "in", self.ids) & domain)

    @api.model
    def _oms_get_refused_products(self, rule, demands):
        """Return {order: ids of the products a rule is about}, or None when it is about whole orders."""
        domain = domain_words.parse(rule.product_domain)
        if domain.is_true():
            return None
        products = self.env["sale.order.line"].union(*demands).product_id
        matching = products.filtered_domain(domain)
        found = {}
        for line in demands:
            if line.product_id in matching:
                found.setdefault(line.order_id, set()).update(self._oms_get_refused_ids(line))
        return found

    @api.model
    def _oms_get_refused_ids(self, line):
        """Return the ids of the products that who may not send a line may not send: also the parts of a kit,
        and the chosen lot."""
        ids = {line.product_id.id, *(part.id for part in line._oms_get_counted_parts())}
        return ids | {-line.oms_lot_id.id} if line.oms_lot_id else ids

    def _oms_get_rejections(self):
        """Return (order, product id, warehouse) of what warehouses rejected. Asks nothing about orders that are sourced
        for the first time."""
        known = self.filtered("oms_allocation_ids")
        if not known:
            return []
        # sudo: oms.warehouse.rejection - whoever sources the order, who rejected it is no candidate
        rejections_sudo = self.env["oms.warehouse.rejection"].sudo().search([("order_id", "in", known.ids)])
        return [
            (row.order_id.sudo(False), product_id, row.warehouse_id)
            for row in rejections_sudo
            for product_id in sorted(self._oms_get_refused_ids(row.line_id))
        ]

    def _oms_get_sent_ids(self, strategies, given):
        """Return {order: ids of the warehouses that send something of it, whatever is planned}, where its strategy
        limits how many may.

        :param given: see `_oms_plan`
        """
        return {
            order: frozenset(
                order.oms_allocation_ids.filtered(lambda row: row._get_kept_quantity(given)).warehouse_id.ids
            )
            for order in self
            if strategies[order].is_split_limited and order.oms_allocation_ids
        }

    def _oms_get_further(self, places, strategies, sent_ids):
        """Yield (order, warehouse id) of who would send something for an order that comes from as many warehouses as
        its strategy allows: nothing of it is to wait there."""
        for order, ids in sent_ids.items():
            limit = strategies[order].get_max_warehouses(order.amount_untaxed / (order.currency_rate or 1.0))
            if ids and limit and len(ids) >= limit:
                yield from ((order, warehouse.id) for warehouse in places[order] if warehouse.id not in ids)

    # === TYPES OF RULES === #

    def _oms_refuse_warehouses(self, rule, places):
        return {
            order: {
                warehouse.id for warehouse in places[order] if (warehouse.id in rule.warehouse_ids) == rule.is_except
            }
            for order in self
        }

    def _oms_refuse_zone(self, rule, places):
        zones = self.env["oms.zone"]
        serving = {order: zones._get_warehouse_ids(order.partner_shipping_id, order.company_id) for order in self}
        return {order: {w.id for w in places[order]} - serving[order] for order in self}

    def _oms_refuse_distance(self, rule, places):
        return {
            order: {
                warehouse.id
                for warehouse, values in places[order].items()
                if values["distance_km"] is None or values["distance_km"] > rule.max_km
            }
            for order in self
        }

    def _oms_refuse_carrier(self, rule, places):
        return {
            order: {warehouse.id for warehouse, values in places[order].items() if not values.get("freight")}
            for order in self
        }

    def _oms_refuse_capacity(self, rule, places):
        # What is left is shared by the orders of a batch, so the solver counts it.
        return {}

    def _oms_refuse_cutoff(self, rule, places):
        now = fields.Datetime.now()
        return {
            order: {warehouse.id for warehouse in places[order] if not warehouse._oms_leaves_today(now)}
            for order in self
        }
