import json

from odoo import api, models


class SaleOrder(models.Model):
    """Why an order comes from where it comes: kept as a decision, told in the timeline, shown in the order."""

    _inherit = "sale.order"

    @api.model
    def _oms_explain_plans(self, sourcing):
        """Keep what the solver decided as decisions, and tell the timelines.

        :param sourcing: Sourcing
        """
        plans = {order: plan for order, plan in sourcing.plans.items() if plan.demanded}
        reasons = {order: order._oms_prepare_explanation(plan, sourcing) for order, plan in plans.items()}
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

    def _oms_prepare_explanation(self, plan, sourcing):
        """Return what the decision on one order keeps, as JSON-able values."""
        self.ensure_one()
        strategy = sourcing.strategies[self]
        names = {warehouse.id: warehouse.name for warehouse in sourcing.places[self]}
        places = {place["id"]: place for place in sourcing.places[self].values()}
        products = {line.id: line.product_id.display_name for line in self.order_line}

        wanted = {line.product_id.id for line in self.order_line}

        def is_kept(warehouse_id):
            return sourcing.is_kept(self, wanted, {warehouse_id})

        def describe(warehouse_id):
            distance, priority = places[warehouse_id]["distance_km"], places[warehouse_id]["priority"]
            return {
                "id": warehouse_id,
                "name": names[warehouse_id],
                "distance_km": None if distance is None else round(distance, 1),
                "priority": priority,
            }

        return {
            "place": self.partner_shipping_id._oms_get_place()[1],
            "demanded": float(plan.demanded),
            "cost": self._oms_prepare_cost(plan.cost),
            "strategy": {"id": strategy.id, "version_id": strategy.version_id, "number": strategy.number},
            "given_up": [rule.name for rule in sourcing.given_up.get(self, ())],
            "money": self._oms_prepare_money(plan.money),
            "weighed": sourcing.weighed.get(self),
            "winners": [
                {
                    **describe(warehouse_id),
                    "is_open": places[warehouse_id]["is_open"],
                    "quantity": float(sum(a.quantity for a in plan.assignments if a.warehouse_id == warehouse_id)),
                }
                for warehouse_id in plan.warehouse_ids
            ],
            "losers": [
                {
                    **describe(loser.warehouse_id),
                    "reason": "kept" if loser.reason == "no_stock" and is_kept(loser.warehouse_id) else loser.reason,
                    "covered": float(loser.covered),
                    "rule": dict(loser.args).get("rule"),
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
                    "reason": sourcing.get_cause(self, shortage),
                }
                for shortage in plan.shortages
            ],
        }

    def _oms_prepare_cost(self, cost):
        """Return what of a `solver.Cost` people compare; money in the company's currency."""
        return {
            "missing": float(cost.missing),
            "parcels": cost.parcels,
            "km": round(cost.metres / 1000, 1),
            "money": self._oms_from_cents(cost.money),
            "days": cost.days,
        }

    def _oms_prepare_money(self, money):
        """Return the parts of what a plan costs that are not zero, in the company's currency."""
        names = ("freight", "handling", "packaging", "split")
        return {name: self._oms_from_cents(amount) for name in names if (amount := getattr(money, name))}

    def _oms_from_cents(self, amount):
        digits = self.company_id.currency_id.decimal_places
        return round(float(amount) / 10**digits, digits)

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
            "postcode": self.env._("The distance is to the postcode area of the delivery address."),
            "state": self.env._("The distance is to the province of the delivery address."),
            "country": self.env._("The distance is to the country of the delivery address."),
            "unknown": self.env._(
                "It is not known where the delivery address is, so the sourcing priority of the warehouses decided."
            ),
        }
        version_id = why.get("strategy", {}).get("version_id")
        # sudo: oms.sourcing.version - who sees the order may know the strategy that it was sourced by
        version = self.env["oms.sourcing.version"].sudo().browse(version_id or []).exists()
        given_up = ", ".join(why.get("given_up", ()))
        return {
            "why": why,
            "place": places[why["place"]],
            "strategy": version.display_name if version else "",
            "given_up": given_up and self.env._("Given up, to have more of the order: %(rules)s.", rules=given_up),
            "weighed": self._describe_weighed(why.get("weighed")),
            "reasons": [self._describe_loser(loser) for loser in why["losers"]],
            "shortages": self._describe_shortages(why["shortages"]),
            "has_money": any((entry.get("cost") or {}).get("money") for entry in [why, *why["losers"]]),
            "money": self.env.company.currency_id.format,
        }

    @api.model
    def _describe_weighed(self, weighed):
        """Return how an order was weighed against others that want the same goods, in a sentence; empty if it was not.

        :param weighed: see `_oms_solve_batch`
        """
        if not weighed:
            return ""
        count, gap = weighed["orders"], weighed["gap"]
        if weighed["method"] == "optimum":
            return self.env._(
                "%(count)s orders that came together want the same goods: no plan for all of them is better.",
                count=count,
            )
        if gap is None:
            return self.env._(
                "%(count)s orders that came together want the same goods: they were served in turn.", count=count
            )
        return self.env._(
            "%(count)s orders that came together want the same goods: the best plan for all of them is at most"
            " %(percent)s %% better.",
            count=count,
            percent=f"{100 * gap:.1f}",
        )

    @api.model
    def _describe_shortages(self, shortages):
        """Return a sentence for each cause of what is missing, and one of what becomes of it.

        :param shortages: see `_oms_prepare_explanation`
        """
        products = {}
        for short in shortages:
            products.setdefault(short["reason"], []).append(f"{short['quantity']:g} × {short['product']}")
        sentences = [self._describe_cause(cause, ", ".join(names)) for cause, names in products.items()]
        return [*sentences, self.env._("It waits and gets what comes, there or elsewhere.")] if sentences else []

    @api.model
    def _describe_cause(self, cause, products):
        """Return why ``products``, in words, are missing: for a key of `const.CAUSES`."""
        words = {
            "kept": self.env._("There is %(products)s, but kept for others.", products=products),
            "lot_life": self.env._("What there is of %(products)s expires too early.", products=products),
            "rejected": self.env._("Who has %(products)s rejected it.", products=products),
            "capacity": self.env._("Who has %(products)s can take no more orders today.", products=products),
            "split": self.env._(
                "%(products)s is elsewhere, but the strategy allows no further parcel.", products=products
            ),
            "keep_together": self.env._(
                "No warehouse has all that belongs together with %(products)s.", products=products
            ),
            "taken": self.env._("Other orders get what there is of %(products)s.", products=products),
            "not_worth": self.env._("To send %(products)s would cost too much.", products=products),
            "incomplete": self.env._("%(products)s is there and waits for the rest of the order.", products=products),
            "no_stock": self.env._("No warehouse had %(products)s.", products=products),
        }
        rule = self.env._("Who has %(products)s may not send it, by a rule of the strategy.", products=products)
        return words.get(cause, rule)

    @api.model
    def _describe_loser(self, loser):
        """Return why a warehouse sends nothing, in words.

        :param loser: see `_oms_prepare_explanation`
        """
        if loser.get("rule"):
            return self.env._("may not send it: %(rule)s", rule=loser["rule"])
        no_further = self.env._("would mean more parcels than the strategy allows")
        words = {
            "no_stock": self.env._("has none of what was needed"),
            "kept": self.env._("has it, but keeps it for others"),
            "taken": self.env._("has it, but other orders get it"),
            "forbidden": no_further,
            "split": no_further,
            "parcels": self.env._("would mean more parcels"),
            "money": self.env._("costs more"),
            "days": self.env._("is slower"),
            "unknown": self.env._("its distance is not known"),
            "metres": self.env._("is farther"),
            "distance": self.env._("is farther"),
            "priority": self.env._("is as near, but comes later by its priority"),
            "balance": self.env._("would be left with less stock"),
            "load": self.env._("has more to do today"),
            "age": self.env._("has younger stock"),
            "capacity": self.env._("can take no more orders today"),
            "lot_life": self.env._("has only lots that expire too early"),
            "rejected": self.env._("rejected it"),
            "tie": self.env._("is as good, the other came first"),
        }
        return words.get(loser["reason"], loser["reason"])
