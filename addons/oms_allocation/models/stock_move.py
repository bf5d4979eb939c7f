from odoo import models
from odoo.tools import groupby
from odoo.tools.misc import clean_context


class StockMove(models.Model):
    """Reservation under lock, and the loops of a batch done at once. The records that result are those Odoo makes."""

    _inherit = "stock.move"

    # === RESERVATION === #

    def _action_assign(self, force_qty=False):
        """Override of `stock`: lock and read the quants of all moves first; see `stock.quant`."""
        taking = self.filtered(lambda move: not move._should_bypass_reservation())
        quants = self.env["stock.quant"]._oms_lock(taking.product_id, taking.location_id)
        moves = self.with_context(quants_cache=quants)
        lines = moves.env["stock.move.line"] if force_qty else moves._oms_reserve_in_rounds()
        res = super(StockMove, moves)._action_assign(force_qty=force_qty)
        lines.exists()._apply_putaway_strategy()  # as Odoo does at the end for the lines it made itself
        return res

    def _oms_reserve_in_rounds(self):
        """Reserve what needs no case of its own, one move of each product at a time, each round with one create.

        What stays is done by Odoo, move by move; so is the state of all.

        :return: the new move lines
        """
        lines = self.env["stock.move.line"]
        waiting = self._oms_filter_plain()
        while waiting:
            by_product = waiting.grouped("product_id")
            current = self.browse().concat(*(moves[0] for moves in by_product.values()))
            vals_list = []
            for move in current:
                move = move.with_company(move.company_id)
                need = move.product_uom._compute_quantity(
                    move.product_uom_qty, move.product_id.uom_id, rounding_method="HALF-UP"
                )
                vals_list += move._update_reserved_quantity_vals(need, move.location_id, strict=False)[0]
            lines += lines.create(vals_list)
            waiting -= current
        return lines

    def _oms_filter_plain(self):
        """Return the moves that need no case of their own, up to the first of their product that needs one: Odoo
        serves moves in their order, and so do we."""
        plain, passed_on = [], set()
        for move in self:
            if move.product_id.id not in passed_on and move._oms_is_plain():
                plain.append(move.id)
            elif move.state in ("waiting", "confirmed", "partially_available"):
                passed_on.add(move.product_id.id)
        return self.browse(plain)

    def _oms_is_plain(self):
        """Whether the move takes untracked goods from stock and has nothing yet."""
        self.ensure_one()
        return (
            self.state == "confirmed"
            and self.procure_method == "make_to_stock"
            and self.product_id.tracking == "none"
            and not self.picked
            and not self.move_line_ids
            and not self.move_orig_ids
            and not self._should_bypass_reservation()
            and self.product_uom.compare(self.product_uom_qty, 0) > 0
        )

    # === CONFIRMATION === #

    def _action_confirm(self, merge=True, merge_into=False, create_proc=True):
        """Override of `stock`: the transfers of many orders are created at once."""
        self._oms_create_pickings()
        return super()._action_confirm(merge=merge, merge_into=merge_into, create_proc=create_proc)

    def _oms_create_pickings(self):
        """Give the moves of several orders their new transfers. Moves that may join a transfer are left to Odoo."""
        moves = self.filtered(
            lambda move: (
                move.state == "draft"
                and move.sale_line_id
                and move.reference_ids
                and move._should_be_assigned()
                and move.product_uom.compare(move.product_uom_qty, 0) >= 0
            )
        )
        if len(moves.reference_ids) < 2:
            return
        # The moves that count are few: the open ones of these orders. An order that has any goes Odoo's way.
        busy = self.search(
            [
                ("reference_ids", "in", moves.reference_ids.ids),
                ("picking_id.state", "not in", (False, "done", "cancel")),
            ]
        ).reference_ids
        env = self.env(context=clean_context(self.env.context))
        moves = moves.filtered(lambda move: not move.reference_ids & busy)
        moves = moves.with_env(env)
        groups = [
            moves.browse().concat(*group) for _key, group in groupby(moves, lambda move: move._key_assign_picking())
        ]
        pickings = moves.env["stock.picking"].create([group._get_new_picking_values() for group in groups])
        for group, picking in zip(groups, pickings, strict=True):
            group.write({"picking_id": picking.id})
        # Not "new": the only extension that looks at it writes the note of origin, transfer by transfer.
        moves._assign_picking_post_process(new=False)
        pickings._oms_log_origins()

    # === REORDERING === #

    def _trigger_scheduler(self):
        """Override of `stock`, which searches a reordering rule move by move: ask once which products have any."""
        moves = self.browse()
        if self and self.env["stock.warehouse.orderpoint"]._oms_exist():
            groups = self.env["stock.warehouse.orderpoint"]._read_group(
                [("product_id", "in", self.product_id.ids), ("trigger", "=", "auto")], ["product_id"]
            )
            products = {product.id for (product,) in groups}
            moves = self.filtered(lambda move: move.product_id.id in products)
        return super(StockMove, moves)._trigger_scheduler()

    def _update_orderpoints(self):
        """Override of `stock`: there is nothing to mark where there are no reordering rules."""
        known = self and self.env["stock.warehouse.orderpoint"]._oms_exist()
        return super(StockMove, self if known else self.browse())._update_orderpoints()
