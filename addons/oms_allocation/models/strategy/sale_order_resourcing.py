from odoo import api, models


class SaleOrder(models.Model):
    """Source orders again: everything that no one has begun to pick is planned anew and moves where the plan says."""

    _inherit = "sale.order"

    def _oms_ask_anew(self):
        """Override: the plan says from where, and what moves is told."""
        self._oms_source_again()

    def _oms_source_again(self):
        """Plan again what of these orders is still open, and move it.

        :return: the orders of which something moved
        """
        lines = self.order_line._oms_filter_allocatable()
        lines._oms_sync_allocations()
        found = {line: quantities for line in lines if (quantities := line._oms_get_unpicked_quantities())}
        sourcing = self._oms_plan_again(found)
        moved = self._oms_get_resourced(found, sourcing)
        if moved:
            self._oms_add_allocations({key: [quantity, 0.0] for key, quantity in moved.items()}, sourcing.places)
            moved_lines = self.env["sale.order.line"].union(*(line for line, _warehouse_id in moved))
            moved_lines._oms_launch_differences()
            self._oms_set_single_warehouse(moved_lines)
        found_lines = self.env["sale.order.line"].union(*found)
        found_lines._oms_get_waiting_moves()._action_assign()
        found_lines._oms_set_shortages({line: line._oms_get_waiting_quantities() for line in found})
        self._oms_explain_plans(sourcing)
        self._oms_note_unfilled(sourcing)
        self._oms_clear_filled()
        return self.browse({line.order_id.id for line, _warehouse_id in moved})

    @api.model
    def _oms_plan_again(self, given):
        """Return the Sourcing of ``given``, see `_oms_plan`: planned as if it were not with any warehouse."""
        return self._oms_plan({line: sum(quantities.values()) for line, quantities in given.items()}, given)

    @api.model
    def _oms_get_resourced(self, found, sourcing):
        """Return {(line, warehouse id): quantity, negative where it leaves} of what the plans want elsewhere.

        What nobody has waits at the nearest warehouse that may send it.
        """
        moved = {}
        for line, sources in found.items():
            plan = sourcing.plans[line.order_id]
            targets = {id_: float(quantity) for id_, quantity in plan.get_quantities().get(line.id, {}).items()}
            rest = sum(sources.values()) - sum(targets.values())
            if plan.nearest_id and line.product_id.uom_id.compare(rest, 0) > 0:
                # Short, or without stock to look at: with the others, or from the nearest.
                short = next((short for short in plan.shortages if short.line_id == line.id), None)
                reason = short.reason if short else "no_stock"
                waiting_id = sourcing.get_waiting_place(line, reason)
                target = waiting_id if short else (*plan.warehouse_ids, waiting_id)[0]
                targets[target] = targets.get(target, 0.0) + rest
            for warehouse_id in targets.keys() | {warehouse.id for warehouse in sources}:
                before = sources.get(self.env["stock.warehouse"].browse(warehouse_id), 0.0)
                difference = targets.get(warehouse_id, 0.0) - before
                if line.product_id.uom_id.compare(difference, 0) and plan.nearest_id:
                    moved[line, warehouse_id] = difference
        return moved

    def _oms_get_sources(self):
        """Return where one order comes from, in words: each warehouse with its quantity."""
        self.ensure_one()
        totals = {}
        for row in self.oms_allocation_ids.filtered(lambda row: row.state != "cancelled"):
            totals[row.warehouse_id] = totals.get(row.warehouse_id, 0.0) + row.quantity
        return ", ".join(f"{warehouse.name} ({quantity:g})" for warehouse, quantity in totals.items() if quantity)

    def _oms_get_resourcing_problem(self):
        """Return why one order can't be sourced again, in words, or None."""
        self.ensure_one()
        if not self.channel_id or self.state != "sale" or self.locked:
            return self.env._("It is not a confirmed order of a channel.")
        if self._oms_get_blocking_holds("allocate"):
            return self.env._("It is on hold.")
        if not self._oms_filter_unreleased() or any(
            move.picked for move in self.order_line.move_ids if move.state not in ("done", "cancel")
        ):
            return self.env._("Picking has begun.")
        return None
