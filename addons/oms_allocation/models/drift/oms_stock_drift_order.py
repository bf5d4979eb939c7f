import logging

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain

_logger = logging.getLogger(__name__)


class OmsStockDrift(models.Model):
    """Orders: what their allocations say, and what their transfers say."""

    _inherit = "oms.stock.drift"

    @api.model
    def _check_orders(self, orders):
        """Compare the allocations of ``orders`` with their transfers, repair what is safe, and keep what was found."""
        domain = Domain("order_id", "in", orders.ids) & Domain("kind", "not in", ("oversold", "reserved"))
        found = self._find_in_orders(orders)
        drifts = self._settle(found, domain, is_repairing=False)
        if drifts:
            drifts._repair_orders()
            self._settle(self._find_in_orders(orders), domain, is_repairing=True)

    @api.model
    def _find_in_orders(self, orders):
        """Return {key: values of a finding} of what is wrong with ``orders`` now."""
        found = {}
        for line in orders.order_line.filtered("oms_allocation_ids"):
            procured, done = line._oms_get_procured_quantities()
            waiting = line._oms_get_waiting_quantities()
            rows = {row.warehouse_id: row for row in line.oms_allocation_ids}
            for warehouse in rows.keys() | procured.keys():
                row = rows.get(warehouse, line.oms_allocation_ids.browse())
                numbers = self._compare(
                    row, procured.get(warehouse, 0.0), done.get(warehouse, 0.0), waiting.get(warehouse, 0.0)
                )
                for kind, (expected, seen) in numbers.items():
                    found[f"{kind}/{line.id}/{warehouse.id}"] = {
                        "kind": kind,
                        "order_id": line.order_id.id,
                        "line_id": line.id,
                        "product_id": line.product_id.id,
                        "warehouse_id": warehouse.id,
                        "company_id": line.company_id.id,
                        "expected": expected,
                        "found": seen,
                    }
        return found | self._find_sums(orders)

    @api.model
    def _compare(self, row, procured, done, waiting):
        """Return {kind: (expected, found)} of one allocation, which may be missing, beside what its transfers say."""
        compare = (row.uom_id or self.env["uom.uom"]).compare if row else lambda a, b: a - b
        numbers = {}
        if compare(row.procured_quantity, procured):
            numbers["procured"] = (procured, row.procured_quantity)
        elif compare(row.quantity, row.procured_quantity):
            numbers["planned"] = (row.quantity, procured)
        if compare(row.done_quantity, done):
            numbers["done"] = (done, row.done_quantity)
        if compare(row.shortage_quantity, waiting) > 0:
            numbers["shortage"] = (waiting, row.shortage_quantity)
        return numbers

    @api.model
    def _find_sums(self, orders):
        """Return {key: values of a finding} of the order lines that do not add up."""
        self.env["oms.conservation"].invalidate_model()  # nothing tells the cache that what it is read from changed
        rows = self.env["oms.conservation"].search([("order_id", "in", orders.ids), ("cause", "!=", False)])
        return {
            f"sum/{row.line_id.id}/{row.cause}": {
                "kind": "sum",
                "order_id": row.order_id.id,
                "line_id": row.line_id.id,
                "product_id": row.product_id.id,
                "company_id": row.company_id.id,
                "expected": row.ordered_quantity,
                "found": row.ordered_quantity - row.gap_quantity,
            }
            for row in rows
        }

    # === REPAIR === #

    def _repair_orders(self):
        """Repair what is safe. Transfers are what people work by, so the plan follows them; what was decided and never
        launched is launched, where no hold is in the way and the plan is not beyond what was ordered."""
        self._repair_numbers()
        planned = self.filtered(lambda drift: drift.kind == "planned").line_id
        launchable = planned.filtered(lambda line: line._oms_is_launch_safe())
        for line in launchable:
            try:
                with self.env.cr.savepoint():
                    line._oms_launch_differences()
            except UserError as error:  # the finding stays open, and the other lines are repaired
                _logger.info("What is planned of %s could not be launched: %s", line.display_name, error)

    def _repair_numbers(self):
        """Set what allocations say stands in transfers, left, and is waited for, to what transfers say."""
        rows = self.env["oms.allocation"]
        for drift in self.filtered(lambda drift: drift.kind in ("procured", "done", "shortage")):
            row = drift.line_id.oms_allocation_ids.filtered(lambda row, d=drift: row.warehouse_id == d.warehouse_id)
            name = {"procured": "procured_quantity", "done": "done_quantity", "shortage": "shortage_quantity"}[
                drift.kind
            ]
            if not row:
                row = rows.create(
                    {
                        "order_id": drift.order_id.id,
                        "line_id": drift.line_id.id,
                        "warehouse_id": drift.warehouse_id.id,
                        "quantity": drift.expected,
                    }
                )
            if drift.kind == "procured" and not row._get_pending_quantity():
                row.quantity = drift.expected
            row[name] = drift.expected


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _oms_is_launch_safe(self):
        """Whether what is planned of one line may be launched by itself: its order waits for nothing, and all that is
        planned is what was ordered."""
        self.ensure_one()
        ordered = self.product_uom_id._compute_quantity(
            self.product_uom_qty, self.product_id.uom_id, rounding_method="HALF-UP"
        )
        planned = sum(self.oms_allocation_ids.mapped("quantity"))
        return bool(
            self._oms_filter_allocatable()
            and not self.order_id.oms_is_launch_pending
            and self.order_id._oms_filter_open("allocate")
            and self.product_id.uom_id.compare(planned, ordered) <= 0
        )
