from odoo import api, fields, models

from .stock import Access


class ReservationLimits:
    """How much each move of a reservation may take. As part of a context it is compared by identity.

    :param stock: `stock.Stock` of what can be reserved
    :param claims: dict {move id: (access, place in ``stock``)}; who is not in it is not limited
    """

    def __init__(self, stock, claims, keys):
        self._stock = stock
        self._claims = claims
        self._keys = keys

    def get(self, move_id, need):
        """Return how much of ``need`` a move may take."""
        if move_id not in self._claims:
            return need
        access, key = self._claims[move_id]
        available = self._stock.get(key, 0.0) - self._stock.count_withheld(key, access)
        return min(need, max(min([available, *self._stock.get_fresh(key, access)]), 0.0))

    def take(self, move_id, quantity):
        if move_id in self._keys:
            self._stock.take(self._claims.get(move_id, (Access(), None))[0], self._keys[move_id], quantity)


class StockMove(models.Model):
    """What is kept for others is not reserved, and neither are goods that do not keep long enough: not at once, nor by
    a later check of availability."""

    _inherit = "stock.move"

    oms_min_expiration_date = fields.Datetime(
        string="Must Keep Until",
        copy=False,
        readonly=True,
        help="Lots that expire earlier are not reserved for this move: its channel or customer asks for it.",
    )

    oms_lot_id = fields.Many2one(
        "stock.lot",
        string="Only This Lot",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="No other lot is reserved for this move: its order line asks for it.",
    )

    def _action_assign(self, force_qty=False):
        """Override of `stock`: orders of channels take no more than pools, promises, the safety stock and rejections
        leave them."""
        limits = None if force_qty else self._oms_get_limits()
        moves = self.with_context(oms_limits=limits) if limits else self
        return super(StockMove, moves)._action_assign(force_qty=force_qty)

    def _oms_get_limits(self):
        """Return the ReservationLimits of these moves, or None where nothing is kept for anybody: it costs nothing."""
        if not self._oms_is_any_kept():
            return None
        moves_sudo = self.sudo().filtered(  # sudo: sale.order - who reserves need not be able to read the orders
            lambda move: (
                move.state in ("confirmed", "partially_available")
                and not move.move_orig_ids
                and not move._should_bypass_reservation()
                and move.location_id.warehouse_id
            )
        )
        claiming = moves_sudo.filtered(lambda move: move.sale_line_id.order_id.channel_id)
        if not claiming:
            return None
        self.env["stock.quant"]._oms_lock(claiming.product_id, claiming.location_id)
        warehouses = claiming.location_id.warehouse_id
        accesses = claiming.sale_line_id.order_id._oms_get_accesses()
        lives = {access.min_life_days for access in accesses.values()}
        stock = claiming.product_id._oms_get_stock(warehouses, lives=lives, is_waiting_counted=False)
        keys = {move.id: (move.location_id.warehouse_id.id, move.product_id.id) for move in moves_sudo}
        claims = {move.id: (accesses[move.sale_line_id.order_id], keys[move.id]) for move in claiming}
        return ReservationLimits(stock, claims, keys)

    @api.model
    def _oms_is_any_kept(self):
        """Whether anything is kept for anybody, or is not trusted until it is counted. All of it is in the cache."""
        return bool(
            self.env["oms.stock.pool"]._get_live_specs(fields.Datetime.now())
            or self.env["oms.stock.safety"]._get_scopes()
            or self.env["oms.channel"]._oms_is_any_promising()
            or self.env["oms.warehouse.rejection"]._is_any_blocked()
        )

    def _update_reserved_quantity_vals(
        self, need, location_id, lot_id=None, package_id=None, owner_id=None, strict=True
    ):
        """Override of `stock`: reserve no more than the limit, see `_action_assign`."""
        limits = self.env.context.get("oms_limits")
        if not limits or strict:
            return super()._update_reserved_quantity_vals(need, location_id, lot_id, package_id, owner_id, strict)
        need = limits.get(self.id, need)
        if self.product_id.uom_id.compare(need, 0) <= 0:
            return [], 0
        vals_list, taken = super()._update_reserved_quantity_vals(
            need, location_id, lot_id, package_id, owner_id, strict
        )
        limits.take(self.id, taken)
        return vals_list, taken

    # === SHELF LIFE AND LOTS === #

    def _update_reserved_quantity(self, need, location_id, lot_id=None, package_id=None, owner_id=None, strict=True):
        """Override of `product_expiry`: not only what is fresh today."""
        move = self._oms_with_limits()
        return super(StockMove, move)._update_reserved_quantity(
            need, location_id, lot_id=lot_id, package_id=package_id, owner_id=owner_id, strict=strict
        )

    def _get_available_quantity(
        self, location_id, lot_id=None, package_id=None, owner_id=None, strict=False, allow_negative=False
    ):
        """Override of `product_expiry`: likewise."""
        move = self._oms_with_limits()
        return super(StockMove, move)._get_available_quantity(
            location_id, lot_id, package_id, owner_id, strict=strict, allow_negative=allow_negative
        )

    def _oms_with_limits(self):
        """Return one move with what says in the context which quants it may have."""
        self.ensure_one()
        limits = {"oms_min_expiration": self.oms_min_expiration_date, "oms_lot_id": self.oms_lot_id.id}
        limits = {name: value for name, value in limits.items() if value}
        return self.with_context(**limits) if limits else self

    def _prepare_procurement_values(self):
        """Override of `stock`: the step before brings goods that keep as long, of the same lot."""
        values = super()._prepare_procurement_values()
        if self.oms_min_expiration_date:
            values["oms_min_expiration_date"] = self.oms_min_expiration_date
        if self.oms_lot_id:
            values["oms_lot_id"] = self.oms_lot_id.id
        return values

    def _prepare_merge_moves_distinct_fields(self):
        """Override of `stock`: what must keep longer, or is to be of one lot, is not merged with what need not."""
        return [*super()._prepare_merge_moves_distinct_fields(), "oms_min_expiration_date", "oms_lot_id"]
