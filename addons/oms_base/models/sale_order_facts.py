import re
from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain

# What a parcel needs to find its way: field of the ship-to contact. A postcode is not asked for: many have none.
ADDRESS_PARTS = ("name", "street", "city", "country_id", "phone")
MIN_PHONE_DIGITS = 7


class SaleOrder(models.Model):
    """Facts that rules can ask for in a domain but no plain field says. Each is computed for a batch of orders at once.

    A new fact is a computed field with a search method; a rule can use it as soon as it is there.
    """

    _inherit = "sale.order"

    oms_address_problem = fields.Char(
        string="Address Problem",
        compute="_compute_oms_address_problem",
        search="_search_oms_address_problem",
        help="What is missing or wrong in the delivery address.",
    )
    oms_has_shortage = fields.Boolean(
        string="Short of Stock",
        compute="_compute_oms_has_shortage",
        search="_search_oms_has_shortage",
        help="An order not confirmed yet that the warehouses of its channel can't fill together.",
    )
    oms_shortage = fields.Json(string="Missing Quantities", compute="_compute_oms_has_shortage")

    @api.depends(lambda self: [f"partner_shipping_id.{part}" for part in (*ADDRESS_PARTS, "state_id")])
    def _compute_oms_address_problem(self):
        for order in self:
            order.oms_address_problem = "; ".join(order._get_address_problems()) or False

    def _get_address_problems(self):
        """Return the sentences that say what is wrong with the delivery address of one order. Can be extended."""
        self.ensure_one()
        partner = self.partner_shipping_id
        labels = {part: partner._fields[part]._description_string(self.env) for part in (*ADDRESS_PARTS, "state_id")}
        problems = [self.env._("%(part)s is missing", part=labels[part]) for part in ADDRESS_PARTS if not partner[part]]
        if partner.country_id.state_required and not partner.state_id:
            problems.append(self.env._("%(part)s is missing", part=labels["state_id"]))
        if partner.phone and len(re.sub(r"\D", "", partner.phone)) < MIN_PHONE_DIGITS:
            problems.append(self.env._("the phone number %(phone)s is too short", phone=partner.phone))
        return problems

    def _search_oms_address_problem(self, operator, value):
        return self._search_open_fact("oms_address_problem", operator, value)

    @api.depends("state", "channel_id", "company_id", "order_line.product_id", "order_line.product_uom_qty")
    def _compute_oms_has_shortage(self):
        self.oms_has_shortage = False
        self.oms_shortage = False
        open_orders = self.filtered(lambda order: order.state in ("draft", "sent") and order.channel_id)
        for channel, orders in open_orders.grouped("channel_id").items():
            warehouses = channel._get_warehouses()
            # Demand is summed per product over all lines: two lines of one product share its stock.
            demands = {order: order._get_storable_demand() for order in orders}
            products = orders.order_line.product_id.filtered("is_storable")
            sellable = defaultdict(float)
            for (product_id, _warehouse_id), quantity in products._oms_get_sellable_quantities(warehouses).items():
                sellable[product_id] += quantity
            for order, demand in demands.items():
                missing = [
                    {"product": product.display_name, "ordered": quantity, "sellable": sellable[product.id]}
                    for product, quantity in demand.items()
                    if product.uom_id.compare(quantity, sellable[product.id]) > 0
                ]
                order.oms_has_shortage = bool(missing)
                order.oms_shortage = missing

    def _get_storable_demand(self):
        """Return {product: quantity in the product's unit} over the storable lines of one order."""
        self.ensure_one()
        demand = defaultdict(float)
        for line in self.order_line:
            if line.product_id.is_storable and not line.display_type:
                demand[line.product_id] += line.product_uom_id._compute_quantity(
                    line.product_uom_qty, line.product_id.uom_id
                )
        return {product: quantity for product, quantity in demand.items() if product.uom_id.compare(quantity, 0) > 0}

    def _search_oms_has_shortage(self, operator, value):
        return self._search_open_fact("oms_has_shortage", operator, value)

    def _search_open_fact(self, field, operator, value):
        """Search a fact that only matters while an order is open: compute it for the orders not confirmed yet."""
        orders = self.search([("channel_id", "!=", False), ("state", "in", ("draft", "sent"))])
        matching = orders.filtered(field)
        if operator not in ("in", "not in"):
            matching = orders.filtered_domain([(field, operator, value)])
            return Domain("id", "in", matching.ids)
        wanted = {bool(item) for item in value}
        if len(wanted) > 1:
            return Domain.TRUE if operator == "in" else Domain.FALSE
        is_positive = (operator == "in") == (True in wanted)
        return Domain("id", "in" if is_positive else "not in", matching.ids)
