from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class OmsStockPromise(models.Model):
    """Goods that were promised and that somebody took all the same.

    Orders of channels never take what is promised to another one. All others do as in plain Odoo: a delivery made by
    hand, a till, a loss that was counted. Then the promise can't be kept, and nobody is to go on believing it: in the
    same transaction the latest promises give up what is not there any more, so that no more is ever promised than is
    there and not reserved. In the background as much is bound elsewhere, until the same time, or the order says that
    nothing was found.
    """

    _inherit = "oms.stock.promise"

    state = fields.Selection(
        selection_add=[("broken", "Taken by Others")], ondelete={"broken": lambda promises: promises.unlink()}
    )
    is_sought = fields.Boolean(
        string="Looked For Elsewhere", readonly=True, help="Others took it, and as much is still to be found elsewhere."
    )

    _sought_idx = models.Index("(id) WHERE is_sought IS TRUE")

    @api.model
    def _note_taking(self, product):
        """Have the promises of ``product`` looked at once, at the end of the transaction that takes some of it."""
        if not self.env["oms.channel"]._oms_is_any_promising():
            return
        precommit = self.env.cr.precommit
        if "oms_allocation.taken" not in precommit.data:
            precommit.data["oms_allocation.taken"] = set()
            # sudo: oms.stock.promise - whoever takes the goods, promises of them are not to stand
            precommit.add(self.sudo()._check_taken)
        precommit.data["oms_allocation.taken"].add(product.id)

    @api.model
    def _check_taken(self):
        ids = self.env.cr.precommit.data.pop("oms_allocation.taken", ())
        self._break_unkept(self.env["product.product"].browse(ids).exists())

    @api.model
    def _break_unkept(self, products):
        """End as much of the promises of ``products`` as is not there any more, the latest first."""
        promises = self.search(self._get_active_domain() & Domain("product_id", "in", products.ids), order="id DESC")
        if not promises:
            return
        products, warehouses = promises.product_id, promises.warehouse_id
        # Who takes from another shelf at the same time is to stumble, or to make this stumble.
        self.env["stock.quant"]._oms_lock(products, warehouses.lot_stock_id, is_forced=True)
        there = {tuple(key): quantity for *key, quantity in products._query_keepable_quantities(warehouses)}
        excess = defaultdict(float)
        for promise in promises:
            excess[promise.product_id.id, promise.warehouse_id.id] += promise.quantity
        for key, quantity in excess.items():
            excess[key] = quantity - max(there.get(key, 0.0), 0.0)
        broken = []
        for promise in promises:
            key = (promise.product_id.id, promise.warehouse_id.id)
            taken = min(excess[key], promise.quantity)
            if promise.uom_id.compare(taken, 0) > 0:
                excess[key] -= taken
                broken.append(promise._break(taken))
        if broken:
            self.create([values for values in broken if values])
            self.env.ref("oms_allocation.ir_cron_expire_promises")._trigger()

    def _break(self, taken):
        """End ``taken`` of one promise. Return the values of a promise that says so, None where it says so itself."""
        self.ensure_one()
        if self.uom_id.compare(taken, self.quantity) >= 0:
            self.write({"state": "broken", "is_sought": True})
            return None
        self.quantity -= taken
        names = ("line_id", "order_id", "product_id", "warehouse_id")
        return {
            **{name: self[name].id for name in names},
            "quantity": taken,
            "expire_date": self.expire_date,
            "state": "broken",
            "is_sought": True,
        }

    # === ELSEWHERE === #

    @api.model
    def _cron_expire_promises(self, limit=1000):
        """Extended: what could not be kept is looked for elsewhere, each order in a transaction of its own."""
        res = super()._cron_expire_promises(limit)
        cron, Order = self.env["ir.cron"], self.env["sale.order"]
        self._break_unkept(self.search(self._get_active_domain()).product_id)  # goods grow old, and nobody took them
        cron._commit_progress()
        domain = Domain("oms_promise_ids.is_sought", "=", True)
        for order in Order.search(domain, order="id", limit=limit):
            order._oms_work_until_undisturbed(domain, "_oms_promise_elsewhere")
            if not cron._commit_progress():
                break
        return res


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _query_keepable_quantities(self, warehouses):
        """Return rows (product id, warehouse id, quantity) of what is there and may leave with who it is promised to:
        not reserved, or only to be put on another shelf."""
        self._oms_flush_stock()
        self.env["stock.move.line"].flush_model()
        return self.env.execute_query(
            SQL(
                """
                WITH %(place)s, %(asked)s
                SELECT product_id, warehouse_id, SUM(quantity)::float8 FROM (
                    SELECT quant.product_id, place.warehouse_id, quant.quantity - quant.reserved_quantity AS quantity
                      FROM stock_quant quant
                      JOIN asked ON asked.id = quant.product_id
                      JOIN place ON place.id = quant.location_id
                     WHERE NOT place.is_blocked AND NOT %(expired)s
                 UNION ALL
                    SELECT line.product_id, place.warehouse_id, line.quantity_product_uom
                      FROM stock_move_line line
                      JOIN asked ON asked.id = line.product_id
                      JOIN place ON place.id = line.location_id AND NOT place.is_blocked
                      JOIN place target ON target.id = line.location_dest_id AND NOT target.is_blocked
                       AND target.warehouse_id = place.warehouse_id
                     WHERE line.state NOT IN ('draft', 'done', 'cancel')
                ) entries
                GROUP BY product_id, warehouse_id
                """,
                place=self._oms_get_place_sql(warehouses),
                asked=self._oms_get_asked_sql(),
                expired=self._oms_get_expired_sql(),
            )
        )


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _oms_promise_elsewhere(self):
        """Bind again what others took of what was promised to these orders, until the same time."""
        for order in self:
            broken = order.oms_promise_ids.filtered("is_sought")
            now = fields.Datetime.now()
            until = {one.line_id.id: one.expire_date for one in broken if one.expire_date > now}
            lines = broken.line_id.filtered(lambda line, until=until: line.id in until)
            broken.is_sought = False
            if not lines or not order._oms_waits_for_allocation():
                continue
            demands = lines._oms_get_promise_demands(is_renewed=True)
            order._oms_bind(demands, until)
            order._oms_tell_broken(broken, demands)

    def _oms_tell_broken(self, broken, demands):
        """Write into the timeline of one order that others took what was promised, and what is bound instead."""
        self.ensure_one()
        names = ", ".join(f"{row.quantity:g} {row.product_id.display_name}" for row in broken)
        active = self.oms_promise_ids.filtered(lambda row: row.state == "active" and row.line_id in demands)
        wanted = sum(
            quantity * needed for line, quantity in demands.items() for needed in line._oms_get_counted_parts().values()
        )
        if sum(active.mapped("quantity")) < wanted:
            message = self.env._(
                "Others took what was promised, and not all of it is elsewhere: %(goods)s", goods=names
            )
        else:
            message = self.env._(
                "Others took what was promised: %(goods)s; bound now from %(warehouses)s",
                goods=names,
                warehouses=", ".join(active.warehouse_id.mapped("name")),
            )
        self._oms_log_event("shortage", message=message)
