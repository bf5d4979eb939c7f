import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    """What is done, in the background, about goods that stay missing: each order in a transaction of its own.

    A way to settle it is a key of `const.SHORTAGES` and a method `_oms_settle_<key>(missing)`.
    """

    _inherit = "sale.order"

    @api.model
    def _get_unfilled_due_domain(self):
        """Return the domain of the orders of which something is missing and about which something is to be done now."""
        now = fields.Datetime.now()
        return (
            Domain("state", "=", "sale")
            & Domain("oms_unfilled_date", "!=", False)
            & (Domain("oms_unfilled_due", "<=", now) | Domain("oms_cancel_date", "<=", now))
        )

    @api.model
    def _cron_settle_unfilled(self):
        """Do what the strategies say about orders that stayed without their goods, the oldest first."""
        domain = self._get_unfilled_due_domain()
        queue = self.search(domain, order="oms_unfilled_date, id")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(queue))
        for order in queue:
            order._oms_work_until_undisturbed(domain, "_oms_settle_unfilled_one")
            if not cron._commit_progress(1):
                break

    def _oms_settle_unfilled_one(self):
        """Settle one order, or put it on hold with the error, so that it neither blocks others nor is lost."""
        if not self:
            return
        try:
            with self.env.cr.savepoint():
                self._oms_settle_unfilled()
        except UserError as error:
            _logger.info("What is missing of order %s could not be settled: %s", self.name, error)
            self.sudo().oms_unfilled_due = False  # sudo: sale.order - a mark of the suite
            self._oms_place_hold("error", str(error))

    def _oms_settle_unfilled(self):
        """Look once more for the goods of one order, then do what is due about those that are still missing."""
        self.ensure_one()
        now = fields.Datetime.now()
        is_cancelled = bool(self.oms_cancel_date and self.oms_cancel_date <= now)
        self._oms_reallocate_open()
        if not self.oms_unfilled_date:
            return
        strategy = self._oms_get_strategy()._get_spec()
        policy = strategy.after_wait if strategy.on_shortage == "wait" else strategy.on_shortage
        self.sudo().oms_unfilled_due = False  # sudo: sale.order - a mark of the suite; what follows is done once
        if is_cancelled:
            policy = "cancel"
        missing = self._oms_get_missing(is_settled_too=policy == "cancel")
        if settle := getattr(self, f"_oms_settle_{policy}", None):
            settle(missing)
        self.order_line._oms_set_settled()
        self._oms_clear_filled()

    def _oms_get_missing(self, is_settled_too):
        """Return {line: {warehouse: quantity in the product's unit}} of what one order waits for in vain.

        :param is_settled_too: also what was asked for before
        """
        self.ensure_one()
        missing = {}
        settled = {line: 0.0 if is_settled_too else line.oms_settled_quantity for line in self.order_line}
        for row in self.oms_allocation_ids.filtered(lambda row: row.shortage_quantity > 0):
            part = min(settled[row.line_id], row.shortage_quantity)
            settled[row.line_id] -= part
            if row.uom_id.compare(row.shortage_quantity, part) > 0:
                missing.setdefault(row.line_id, {})[row.warehouse_id] = row.shortage_quantity - part
        return missing

    def _oms_get_takeable_quantities(self, products, warehouses):
        """Return {(warehouse id, product id): quantity} of what one order may take now: not what is kept for others."""
        access = self._oms_get_accesses()[self]
        return products._oms_get_stock(warehouses, lives={access.min_life_days}).view(access)

    # === WAYS TO SETTLE IT === #

    def _oms_settle_cancel(self, missing):
        """Cancel what is missing; all of the order when nothing of it is anywhere."""
        if self.oms_is_launch_pending or self._oms_is_missing_all(missing):
            self._oms_cancel(self.oms_unfilled_reason or self.env._("Its goods did not come."))
            return
        self._oms_lower_lines(missing)
        message = self.env._("Cancelled, as it did not come: %(products)s", products=self._oms_list(missing))
        self._oms_log_event("shortage", message=message)
        self.activity_schedule(
            "mail.mail_activity_data_todo",
            user_id=(self.user_id or self.channel_id.user_id).id or self.env.uid,
            summary=self.env._("Give the money for what was cancelled back"),
            note=message,
        )

    def _oms_settle_substitute(self, missing):
        """Send a substitute for what is missing, unit for unit and at the same price, where one is there."""
        warehouses = self.oms_warehouse_id or self.channel_id._get_warehouses()
        for line, found in missing.items():
            quantity = sum(found.values())
            substitute = line._oms_find_substitute(quantity, warehouses)
            if not substitute:
                continue
            ordered = line.product_id.uom_id._compute_quantity(quantity, line.product_uom_id, round=False)
            values = line._oms_prepare_substitute_values(substitute, ordered)
            self._oms_lower_lines({line: found})
            self.env["sale.order.line"].create([values])
            self._oms_log_event(
                "allocated",
                message=self.env._(
                    "%(quantity)g %(substitute)s instead of %(product)s",
                    quantity=quantity,
                    substitute=substitute.display_name,
                    product=line.product_id.display_name,
                ),
            )

    def _oms_settle_transfer(self, missing):
        """Bring what is missing from a warehouse that resupplies the one where it is waited for."""
        procurements = []
        waiting = self.env["stock.warehouse"].union(*(one for found in missing.values() for one in found))
        products = self.env["sale.order.line"].union(*missing).product_id
        free = self._oms_get_takeable_quantities(products, waiting.resupply_wh_ids)
        for line, found in missing.items():
            product = line.product_id
            for warehouse, quantity in found.items():
                supplier = warehouse.resupply_wh_ids.filtered(
                    lambda one, product=product, needed=quantity: (
                        product.uom_id.compare(free.get((one.id, product.id), 0.0), needed) >= 0
                    )
                )[:1]
                if supplier:
                    free[supplier.id, product.id] -= quantity
                    route = warehouse.resupply_route_ids.filtered(lambda r, s=supplier: r.supplier_wh_id == s)
                    procurements.append(self._oms_prepare_supply(line, warehouse, quantity, route))
        self._oms_run_supply(procurements)

    def _oms_settle_buy(self, missing):
        """Order what is missing by the product's own routes: from its supplier, or from the workshop."""
        self._oms_run_supply(
            [
                self._oms_prepare_supply(line, warehouse, quantity)
                for line, found in missing.items()
                for warehouse, quantity in found.items()
            ]
        )

    def _oms_prepare_supply(self, line, warehouse, quantity, routes=None):
        """Return the procurement of ``quantity`` (product's unit) of what one line waits for into ``warehouse``."""
        values = {
            "warehouse_id": warehouse,
            "company_id": self.company_id,
            "date_planned": fields.Datetime.now(),
            "reference_ids": self.stock_reference_ids,
        }
        if routes:
            values["route_ids"] = routes
        return self.env["stock.rule"].Procurement(
            line.product_id,
            quantity,
            line.product_id.uom_id,
            warehouse.lot_stock_id,
            self.name,
            self.name,
            self.company_id,
            values,
        )

    def _oms_run_supply(self, procurements):
        if procurements:
            # sudo: stock.rule - the strategy asks for it, whoever works on the order
            self.env["stock.rule"].sudo().run(procurements)
            self._oms_log_event(
                "shortage",
                message=self.env._(
                    "Asked for: %(products)s",
                    products=", ".join(f"{p.product_qty:g} {p.product_id.display_name}" for p in procurements),
                ),
            )

    # === HELPERS === #

    def _oms_is_missing_all(self, missing):
        """Whether nothing of the goods of one order is anywhere."""
        rows = self.oms_allocation_ids.filtered(lambda row: row.state != "cancelled")
        return all(row.uom_id.compare(row.quantity, row.shortage_quantity) <= 0 for row in rows)

    def _oms_lower_lines(self, missing):
        """Take what is missing off the lines; their transfers and allocations follow."""
        for line, found in missing.items():
            unit = line.product_id.uom_id
            line.product_uom_qty -= unit._compute_quantity(sum(found.values()), line.product_uom_id, round=False)

    def _oms_list(self, missing):
        return ", ".join(f"{sum(found.values()):g} {line.product_id.display_name}" for line, found in missing.items())


class SaleOrderLine(models.Model):
    """A line that stands in for another one."""

    _inherit = "sale.order.line"

    oms_substitute_for_id = fields.Many2one(
        "sale.order.line", string="Instead Of", copy=False, readonly=True, index="btree_not_null", ondelete="set null"
    )

    oms_settled_quantity = fields.Float(
        string="Missing and Settled",
        digits="Product Unit",
        copy=False,
        readonly=True,
        help="What of its missing quantity the strategy has dealt with, in the product's unit: it is done once.",
    )

    def _oms_get_short_quantity(self):
        """Return what of one line is missing, in the product's unit."""
        self.ensure_one()
        return sum(self.oms_allocation_ids.mapped("shortage_quantity"))

    def _oms_is_unsettled(self):
        """Whether something of one line is missing that nothing was done about yet."""
        return self.product_id.uom_id.compare(self._oms_get_short_quantity(), self.oms_settled_quantity) > 0

    def _oms_set_settled(self):
        """Note that the strategies have dealt with what is missing of these lines now."""
        for line in self:
            short = line._oms_get_short_quantity()
            if line.oms_settled_quantity != short:
                line.sudo().oms_settled_quantity = short  # sudo: sale.order.line - a mark of the suite

    def _oms_forget_settled(self):
        """Forget what was settled of what is not missing any more, so that it is settled when it is missing again."""
        self.filtered(
            lambda line: line.oms_settled_quantity and line.oms_settled_quantity > line._oms_get_short_quantity()
        )._oms_set_settled()

    def _oms_get_channel_line_id(self):
        """Override of `oms_base`: to the shop it is the line that it stands in for."""
        return super()._oms_get_channel_line_id() or self.oms_substitute_for_id.channel_line_id

    def _oms_find_substitute(self, quantity, warehouses):
        """Return the first substitute of one line's product that is there in full, or an empty record."""
        self.ensure_one()
        substitutes = self.product_id.oms_substitute_ids - self.product_id
        free = self.order_id._oms_get_takeable_quantities(substitutes, warehouses)
        for product in substitutes:
            if product.uom_id == self.product_id.uom_id:
                available = sum(free.get((warehouse.id, product.id), 0.0) for warehouse in warehouses)
                if product.uom_id.compare(available, quantity) >= 0:
                    return product
        return substitutes.browse()

    def _oms_prepare_substitute_values(self, product, quantity):
        """Return the values of the line that stands in for ``quantity`` (in the line's unit) of one line."""
        self.ensure_one()
        return {
            "order_id": self.order_id.id,
            "sequence": self.sequence,
            "product_id": product.id,
            "product_uom_id": self.product_uom_id.id,
            "product_uom_qty": quantity,
            "price_unit": self.price_unit,
            "discount": self.discount,
            "tax_ids": [(6, 0, self.tax_ids.ids)],
            "extra_tax_data": self.tax_ids._oms_keep_charged(self.extra_tax_data),
            "oms_substitute_for_id": self.id,
        }
