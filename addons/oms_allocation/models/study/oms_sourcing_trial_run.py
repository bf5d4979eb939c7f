from contextlib import suppress
from dataclasses import replace

from odoo import api, models
from odoo.fields import Command

from odoo.addons.oms_base.const import BATCH_SIZE


class _RolledBack(Exception):
    """Ends the savepoint of a made-up order."""


class OmsSourcingTrial(models.Model):
    """How a chunk of orders is tried."""

    _inherit = "oms.sourcing.trial"

    @api.model
    def _cron_run_trials(self):
        """Go on with the trials that are running."""
        self._run_studies()

    def _run_chunk(self):
        """Override of the study."""
        self.ensure_one()
        if self.source == "made_up":
            return self._run_made_up()
        orders = self._get_next_orders(BATCH_SIZE)
        vals_list = self._prepare_line_vals_list(orders)
        if trial := self._lock_running():
            trial._keep_results(vals_list)
            if orders:
                trial.last_order_id = orders.ids[-1]
            if len(orders) < BATCH_SIZE:
                trial._set_state("done")
        return len(orders)

    def _run_made_up(self):
        """Try an order that exists in a savepoint only."""
        with suppress(_RolledBack), self.env.cr.savepoint():
            vals_list = self._prepare_line_vals_list(self._create_made_up())
            raise _RolledBack
        self._keep_results([{**vals, "order_id": False} for vals in vals_list])
        self._set_state("done")
        return 1

    def _create_made_up(self):
        return self.env["sale.order"].create(
            {
                "partner_id": self.partner_id.id,
                "partner_shipping_id": self.partner_id.id,
                "company_id": self.company_id.id,
                "channel_id": self.channel_id.id,
                "order_line": [
                    Command.create({"product_id": row.product_id.id, "product_uom_qty": row.quantity})
                    for row in self.product_ids
                ],
            }
        )

    def _keep_results(self, vals_list):
        # sudo: oms.sourcing.trial.line - results are written by the trial only
        self.env["oms.sourcing.trial.line"].sudo().create(vals_list)

    # === TRY === #

    def _prepare_line_vals_list(self, orders):
        """Return the results of ``orders`` on both sides, as values of lines."""
        demands = self._prepare_demands(orders)
        side_a = self._plan(demands, self._get_specs(self.other_strategy_id, orders))
        side_b = self._plan(demands, self._get_specs(self.strategy_id, orders))
        return [self._prepare_line_vals(order, side_a, side_b) for order in orders if order in side_a.plans]

    @api.model
    def _get_specs(self, strategy, orders):
        """Return {order: StrategySpec}: ``strategy``, or else what each order is sourced by today."""
        specs = orders._oms_get_current_strategies()
        if strategy:
            specs = dict.fromkeys(orders, strategy._get_spec())
        return {order: replace(spec, is_studied=True) for order, spec in specs.items()}

    @api.model
    def _prepare_demands(self, orders):
        """Return {order line: quantity in the product's unit} of all goods of ``orders``, as if none had been sent."""
        lines = orders.order_line._oms_filter_from_stock().filtered(lambda line: line.product_uom_qty > 0)
        return {
            line: line.product_uom_id._compute_quantity(line.product_uom_qty, line.product_id.uom_id) for line in lines
        }

    @api.model
    def _plan(self, demands, strategies):
        """Return the Sourcing of ``demands``, found in what is there and what these orders were given themselves."""
        # Also what they still wait for there: it is taken off what is there.
        given = {line: {row.warehouse_id: row.quantity for row in line.oms_allocation_ids} for line in demands}
        return self.env["sale.order"]._oms_plan(demands, given, strategies, is_binding=False)

    def _prepare_line_vals(self, order, side_a, side_b):
        """Return the values of the line of one order."""
        vals = {
            "trial_id": self.id,
            "order_id": order.id,
            "channel_id": order.channel_id.id,
            "data": {},
        }
        for side, sourcing in (("a", side_a), ("b", side_b)):
            plan = sourcing.plans[order]
            why = order._oms_prepare_explanation(plan, sourcing)
            used = [sourcing.places[order][warehouse] for warehouse in sourcing.get_winners(order)]
            is_dated = bool(used) and all(place.get("days") is not None for place in used)
            # Counted from when the buyer ordered, or no order of the past could ever be in time.
            promised = order._oms_get_promised_days(order.date_order)
            is_kept = is_dated and not plan.cost.missing and promised is not None and plan.cost.days <= promised
            vals |= {
                f"warehouses_{side}": ", ".join(winner["name"] for winner in why["winners"]),
                f"parcels_{side}": plan.cost.parcels,
                f"cost_{side}": why["cost"]["money"],
                f"distance_km_{side}": why["cost"]["km"],
                f"missing_{side}": float(plan.cost.missing),
                f"split_{side}": int(len(plan.warehouse_ids) > 1),
                f"promised_{side}": int(bool(order.commitment_date)),
                f"kept_{side}": int(is_kept),
                f"age_{side}": float(plan.cost.age),
                f"load_{side}": sum(1 / place["capacity"] for place in used if place.get("capacity")),
            }
            vals["data"][side] = why
        vals["changed"] = int(vals["warehouses_a"] != vals["warehouses_b"] or vals["missing_a"] != vals["missing_b"])
        return vals
