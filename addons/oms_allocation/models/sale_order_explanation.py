import json

from odoo import api, models


class SaleOrder(models.Model):
    """Why an order comes from where it comes: kept as a decision, told in the timeline, shown in the order."""

    _inherit = "sale.order"

    @api.model
    def _oms_explain_plans(self, plans, candidates):
        """Keep what the solver decided as decisions, and tell the timelines.

        :param plans: dict {order: solver.Plan}
        :param candidates: dict {order: {warehouse: solver.Warehouse}}
        """
        plans = {order: plan for order, plan in plans.items() if plan.demanded}
        reasons = {order: order._oms_prepare_explanation(plan, candidates[order]) for order, plan in plans.items()}
        decided = {}
        for order, plan in plans.items():
            outcome = "short" if plan.shortages else "split" if len(plan.warehouse_ids) > 1 else "single"
            key = (outcome, order._oms_get_allocation_summary(reasons[order]), json.dumps(reasons[order]))
            decided.setdefault(key, []).append(order.id)
        self.env["oms.decision"]._query_insert("allocation", decided)
        messages = {"allocated": {}, "shortage": {}}
        for order, reason in reasons.items():
            if reason["winners"]:
                message = ", ".join(winner["name"] for winner in reason["winners"])
                messages["allocated"].setdefault(message, self.browse())
                messages["allocated"][message] |= order
            if reason["shortages"]:
                message = ", ".join(f"{short['quantity']:g} {short['product']}" for short in reason["shortages"])
                messages["shortage"].setdefault(message, self.browse())
                messages["shortage"][message] |= order
        for code, orders_by_message in messages.items():
            for message, orders in orders_by_message.items():  # orders with the same story are written together
                orders._oms_log_event(code, message=message)

    def _oms_prepare_explanation(self, plan, candidates):
        """Return what the decision on one order keeps, as JSON-able values."""
        self.ensure_one()
        names = {warehouse.id: warehouse.name for warehouse in candidates}
        places = {place.id: place for place in candidates.values()}
        products = {line.id: line.product_id.display_name for line in self.order_line}

        def describe(warehouse_id):
            place = places[warehouse_id]
            distance = None if place.distance_km is None else round(place.distance_km, 1)
            return {
                "id": warehouse_id,
                "name": names[warehouse_id],
                "distance_km": distance,
                "priority": place.priority,
            }

        return {
            "place": self.partner_shipping_id._oms_get_place()[1],
            "demanded": float(plan.demanded),
            "cost": self._oms_prepare_cost(plan.cost),
            "winners": [
                {
                    **describe(warehouse_id),
                    "is_open": places[warehouse_id].is_open,
                    "quantity": float(sum(a.quantity for a in plan.assignments if a.warehouse_id == warehouse_id)),
                }
                for warehouse_id in plan.warehouse_ids
            ],
            "losers": [
                {
                    **describe(loser.warehouse_id),
                    "reason": loser.reason,
                    "covered": float(loser.covered),
                    "cost": self._oms_prepare_cost(loser.cost) if loser.cost else None,
                }
                for loser in plan.losers
            ],
            "lines": [
                {
                    "line_id": assignment.line_id,
                    "product": products[assignment.line_id],
                    "warehouse": names[assignment.warehouse_id],
                    "quantity": float(assignment.quantity),
                }
                for assignment in plan.assignments
            ],
            "shortages": [
                {
                    "line_id": shortage.line_id,
                    "product": products[shortage.line_id],
                    "quantity": float(shortage.quantity),
                }
                for shortage in plan.shortages
            ],
        }

    @api.model
    def _oms_prepare_cost(self, cost):
        return {"missing": float(cost.missing), "parcels": cost.parcels, "km": round(cost.metres / 1000, 1)}

    def _oms_get_allocation_summary(self, reason):
        """Return one line that says where an order comes from."""
        winners = ", ".join(
            winner["name"]
            if winner["distance_km"] is None
            else self.env._("%(warehouse)s (%(km)s km)", warehouse=winner["name"], km=f"{winner['distance_km']:,.0f}")
            for winner in reason["winners"]
        )
        if not reason["shortages"]:
            return self.env._("From %(warehouses)s", warehouses=winners)
        missing = f"{reason['cost']['missing']:g}"
        if not winners:
            return self.env._("Nothing in stock, %(missing)s missing", missing=missing)
        return self.env._("From %(warehouses)s, %(missing)s missing", warehouses=winners, missing=missing)

    # === SHOW === #

    @api.model
    def _prepare_why_values(self, why):
        """Return what the template of the explanation needs, in the language of who reads it.

        :param why: data of a decision, see `_oms_prepare_explanation`
        """
        places = {
            "address": self.env._("The distance is to the coordinates of the delivery address."),
            "state": self.env._("The distance is to the province of the delivery address."),
            "country": self.env._("The distance is to the country of the delivery address."),
            "unknown": self.env._(
                "It is not known where the delivery address is, so the sourcing priority of the warehouses decided."
            ),
        }
        reasons = {
            "no_stock": self.env._("has none of what was needed"),
            "taken": self.env._("has none left, other orders got it"),
            "parcels": self.env._("would mean more parcels"),
            "unknown": self.env._("its distance is not known"),
            "distance": self.env._("is farther"),
            "priority": self.env._("is as near, but comes later by its priority"),
            "tie": self.env._("is as good, the other came first"),
        }
        products = ", ".join(f"{short['quantity']:g} × {short['product']}" for short in why["shortages"])
        shortage = products and self.env._(
            "No warehouse had %(products)s. It waits at the nearest one and gets what comes, there or elsewhere.",
            products=products,
        )
        return {"why": why, "place": places[why["place"]], "reasons": reasons, "shortage": shortage}
