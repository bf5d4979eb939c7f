from odoo import api, fields, models


class OmsAllocation(models.Model):
    """How much of an order line comes from which warehouse: one row a line and warehouse.

    Allocating writes ``quantity``; launching the procurements brings ``procured_quantity`` up, or down, to it; what
    left the warehouse is ``done_quantity``. The difference between the first two is all that is left to do, so doing it
    twice does it once. The state follows from the three numbers.
    """

    _name = "oms.allocation"
    _description = "Order Allocation"
    _order = "order_id desc, line_id, id"
    _rec_name = "warehouse_id"
    _check_company_auto = True

    line_id = fields.Many2one("sale.order.line", string="Order Line", required=True, index=True, ondelete="cascade")
    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade")
    product_id = fields.Many2one(related="line_id.product_id", store=True, precompute=True, index=True)
    company_id = fields.Many2one(related="line_id.company_id", store=True, precompute=True, index=True)
    channel_id = fields.Many2one(related="order_id.channel_id", store=True, precompute=True, index="btree_not_null")
    lot_id = fields.Many2one(related="line_id.oms_lot_id", string="Only This Lot")
    warehouse_id = fields.Many2one(
        "stock.warehouse", required=True, index=True, ondelete="restrict", check_company=True
    )
    partner_id = fields.Many2one(related="order_id.partner_shipping_id", string="Ship To")
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    quantity = fields.Float(digits="Product Unit", help="What comes from the warehouse, in the product's unit.")
    procured_quantity = fields.Float(
        string="In Transfers", digits="Product Unit", help="What of it stands in transfers, open or done."
    )
    done_quantity = fields.Float(string="Shipped", digits="Product Unit")
    shortage_quantity = fields.Float(
        string="Short",
        digits="Product Unit",
        help="What of it the warehouse did not have. It waits there until stock comes, here or elsewhere.",
    )
    given_date = fields.Datetime(
        string="Given Again On",
        readonly=True,
        help="When it was given to the warehouse once more, after all of it had left or was taken back: it counts in"
        " the capacity of that day.",
    )
    distance_km = fields.Float(
        string="Distance (km)",
        digits=(10, 1),
        aggregator="avg",
        help="From the warehouse to the buyer, 0 if not known.",
    )
    state = fields.Selection(
        [("planned", "Planned"), ("procured", "In Transfers"), ("done", "Shipped"), ("cancelled", "Cancelled")],
        compute="_compute_state",
        store=True,
        precompute=True,
        index=True,
    )

    _line_warehouse_uniq = models.UniqueIndex(
        "(line_id, warehouse_id)", "An order line has one allocation for each warehouse."
    )
    _planned_idx = models.Index("(product_id, warehouse_id) WHERE state = 'planned'")
    _short_idx = models.Index("(order_id) WHERE shortage_quantity > 0")

    @api.depends("quantity", "procured_quantity", "done_quantity")
    def _compute_state(self):
        for allocation in self:
            compare = allocation.uom_id.compare
            if compare(allocation.quantity, 0) <= 0 and compare(allocation.procured_quantity, 0) <= 0:
                allocation.state = "cancelled"
            elif compare(allocation.quantity, allocation.procured_quantity) > 0:
                allocation.state = "planned"
            elif compare(allocation.done_quantity, allocation.quantity) >= 0:
                allocation.state = "done"
            else:
                allocation.state = "procured"

    @api.depends("warehouse_id.name", "product_id", "quantity")
    def _compute_display_name(self):
        for allocation in self:
            allocation.display_name = (
                f"{allocation.warehouse_id.name}: {allocation.uom_id.round(allocation.quantity):g}"
                f" {allocation.product_id.display_name}"
            )

    def action_view_order(self):
        """Open the order of the allocation."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "views": [(False, "form")],
        }

    def _get_kept_quantity(self, given):
        """Return what of one allocation stands (product's unit): what is neither short nor planned again.

        :param given: see `sale.order._oms_plan`
        """
        self.ensure_one()
        again = given.get(self.line_id, {}).get(self.warehouse_id, 0.0)
        return max(0.0, self.uom_id.round(self.quantity - max(self.shortage_quantity, again)))

    def _prepare_shortage_values(self, short):
        """Return the values that say that so much of one allocation is short. What was short altogether becomes a
        parcel when it is not any more, and counts in the capacity of that day."""
        self.ensure_one()
        compare, values = self.uom_id.compare, {"shortage_quantity": short}
        was_short = compare(self.shortage_quantity, 0) > 0 and compare(self.shortage_quantity, self.quantity) >= 0
        if was_short and compare(short, self.quantity) < 0:
            values["given_date"] = fields.Datetime.now()
        return values

    def _get_pending_quantity(self):
        """Return what the transfers of one allocation still lack (product's unit), negative: have too much."""
        self.ensure_one()
        return self.uom_id.round(self.quantity - self.procured_quantity)
