from collections import defaultdict

from psycopg2.errors import DeadlockDetected, SerializationFailure

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.oms_base.tools import Turn


class LockedQuants(defaultdict):
    """Odoo's own `quants_cache` (see `stock.quant._get_quants_by_products_locations`), which knows what is locked.

    As part of a context it is compared by identity: two pieces of work never share one.
    """

    __hash__ = object.__hash__
    __eq__ = object.__eq__
    __ne__ = object.__ne__

    def __init__(self, quants, locked_ids):
        super().__init__(quants.browse)
        self.locked_ids = frozenset(locked_ids)
        for quant in quants:
            key = (quant.product_id.id, quant.location_id.id, quant.lot_id.id, quant.package_id.id, quant.owner_id.id)
            self[key] |= quant


class ReservableQuants(LockedQuants):
    """All quants of some products in some locations and below, locked and read once for a reservation. Those of
    products of which nothing is free are not locked: nothing can be taken of them."""

    def __init__(self, quants, products, locations, locked_ids):
        super().__init__(quants, locked_ids)
        self._quants = quants
        self._product_ids = frozenset(products.ids)
        self._roots = tuple(locations.mapped("parent_path"))
        self._by_product = quants.grouped(lambda quant: quant.product_id.id)

    def covers(self, product, location):
        """Whether all quants of ``product`` in ``location`` and below it are here."""
        return product.id in self._product_ids and location.parent_path.startswith(self._roots)

    def get_quants(self, product):
        """Return the quants of ``product`` that are here."""
        return self._by_product.get(product.id, self._quants.browse())

    def get_locked(self):
        """Return the quants that are locked."""
        return self._quants.filtered(lambda quant: quant.id in self.locked_ids)


class StockQuant(models.Model):
    """No overselling: who reserves locks first, and who saw an old state is sent back.

    Odoo reads quants in a snapshot, skips a row that another transaction holds and inserts a second one: two
    transactions that reserve the last unit at once both get it. Here the rows are locked, in the order of their ids,
    before they are counted. Under REPEATABLE READ a lock on a row that changed since the snapshot fails
    (SerializationFailure), and the request is run again: nobody counts with stale numbers, and no order is lost. It is
    run again when those who came before are through, see `oms_base.tools.take_turn`. Where nothing is free nothing can
    be taken, so nobody waits for nothing.
    """

    _inherit = "stock.quant"

    @api.model
    def _oms_lock(self, products, locations, is_forced=False):
        """Wait for and lock the quants of ``products`` in ``locations`` and below, of which anything is free.

        A quant of which too much is taken makes up for another one of its product, so all of a product are locked.

        :param is_forced: also where nothing is free: it is taken all the same
        :raise psycopg2.errors.SerializationFailure: when one of them changed since this transaction began
        :return: ReservableQuants
        """
        # sudo: stock.quant - the lock and the count must see every quant, whoever reserves
        quants_sudo = self.sudo().browse()
        locked_ids = ()
        if products and locations:
            query = quants_sudo._search(self._get_lock_domain(products, locations), order="id")
            columns = {
                name: SQL.identifier(self._table, name, to_flush=self._fields[name])
                for name in ("id", "product_id", "quantity", "reserved_quantity")
            }
            is_free = SQL("COALESCE(%s, 0) > %s", columns["quantity"], columns["reserved_quantity"])
            found = query.select(columns["id"], columns["product_id"], is_free)
            lock = SQL(
                """WITH found (id, product_id, is_free) AS MATERIALIZED (%s), locked AS (
                        SELECT id FROM stock_quant WHERE id IN (
                            SELECT id FROM found WHERE %s OR product_id IN (SELECT product_id FROM found WHERE is_free)
                        ) ORDER BY id FOR NO KEY UPDATE
                   )
                   SELECT found.id, locked.id FROM found LEFT JOIN locked ON locked.id = found.id ORDER BY found.id""",
                found,
                is_forced,
            )
            self.env.flush_query(lock)
            try:
                self.env.cr.execute(lock, log_exceptions=False)  # being sent back is part of the plan, not an error
            except (SerializationFailure, DeadlockDetected) as error:
                over = SQL("WITH found (id, product_id, is_free) AS (%s) SELECT NOT bool_or(is_free) FROM found", found)
                error.oms_turn = Turn(products.ids, None if is_forced else over)
                raise
            rows = self.env.cr.fetchall()
            quants_sudo = quants_sudo.browse(id_ for id_, _locked_id in rows)
            locked_ids = [locked_id for _id, locked_id in rows if locked_id]
        return ReservableQuants(quants_sudo, products, locations, locked_ids)

    @api.model
    def _get_lock_domain(self, products, locations):
        return Domain("product_id", "in", products.ids) & Domain("location_id", "child_of", locations.ids)

    def _oms_touch(self):
        """Give these quants a new row version, so that transactions which read the old one cannot reserve from them.

        For changes that lower what is available without changing the rows that others may have read.
        """
        self.env.execute_query(
            SQL(
                """WITH locked AS (SELECT id FROM stock_quant WHERE id IN %s ORDER BY id FOR NO KEY UPDATE)
                   UPDATE stock_quant quant SET in_date = quant.in_date FROM locked WHERE quant.id = locked.id
                RETURNING quant.id""",
                tuple(self.ids) or (0,),
            )
        )

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `stock`: a new quant that takes away from others (a forced move line) must not go unseen."""
        quants = super().create(vals_list)
        taking = quants.filtered(
            lambda quant: (
                quant.product_uom_id.compare(quant.quantity, quant.reserved_quantity) < 0
                and not quant.location_id.should_bypass_reservation()
            )
        )
        if taking:
            # sudo: stock.quant - whoever takes, all who may have counted these goods are to stumble
            siblings_sudo = self.sudo().search(
                Domain("product_id", "in", taking.product_id.ids)
                & Domain("location_id.usage", "in", ("internal", "transit"))
                & Domain("id", "not in", taking.ids)
            )
            siblings_sudo._oms_touch()
        return quants

    def _get_quants_by_products_locations(self, product_ids, location_ids, extra_domain=False):
        """Override of `stock`: lock at once what Odoo then locks line by line, as it does skipping what others hold."""
        found = super()._get_quants_by_products_locations(product_ids, location_ids, extra_domain=extra_domain)
        quants = self.browse().concat(*found.values()) if found else self.browse()
        return LockedQuants(quants, quants.try_lock_for_update(allow_referencing=True).ids)

    @api.model
    def _gather(self, product_id, location_id, lot_id=None, package_id=None, owner_id=None, strict=False, qty=0):
        """Override of `stock`: within a reservation, answer from the quants that were read and locked for it."""
        locked = self.env.context.get("quants_cache")
        arguments = (product_id, location_id, lot_id, package_id, owner_id, strict, qty)
        if not isinstance(locked, ReservableQuants):
            return super()._gather(*arguments)
        if not locked.covers(product_id, location_id):
            return super(StockQuant, self.with_context(quants_cache=None))._gather(*arguments)
        removal_strategy = self._get_removal_strategy(product_id, location_id)
        if strict or removal_strategy in ("least_packages", "closest"):
            return super()._gather(*arguments)
        domain = self._get_gather_domain(product_id, location_id, lot_id, package_id, owner_id, strict)
        quants = locked.get_quants(product_id).with_env(self.env).filtered_domain(domain)
        order = self._get_removal_strategy_order(removal_strategy)
        return quants.sorted(order).sorted(lambda quant: not quant.lot_id)

    def try_lock_for_update(self, *, allow_referencing=False, limit=None):
        """Override of `base`: what was locked for the batch needs no lock of its own."""
        locked = self.env.context.get("quants_cache")
        if limit == 1 and self and isinstance(locked, LockedQuants) and self[0].id in locked.locked_ids:
            return self[0]
        return super().try_lock_for_update(allow_referencing=allow_referencing, limit=limit)

    @api.model
    def _update_available_quantity(
        self,
        product_id,
        location_id,
        quantity=False,
        reserved_quantity=False,
        lot_id=None,
        package_id=None,
        owner_id=None,
        in_date=None,
    ):
        """Override of `stock`: wait for the rows instead of inserting another one whenever less will be available, and
        have the promises looked at that may not be kept then.

        A delivery gives its reservation back and takes the goods: nothing changes for others, so it need not wait
        (it comes with Odoo's own `quants_cache`).
        """
        taking = product_id.uom_id.compare(quantity or 0.0, reserved_quantity or 0.0) < 0
        if taking and not location_id.should_bypass_reservation():
            if self.env.context.get("quants_cache") is None:
                self._oms_lock(product_id, location_id, is_forced=True)
            self.env["oms.stock.promise"]._note_taking(product_id)
        return super()._update_available_quantity(
            product_id,
            location_id,
            quantity=quantity,
            reserved_quantity=reserved_quantity,
            lot_id=lot_id,
            package_id=package_id,
            owner_id=owner_id,
            in_date=in_date,
        )
