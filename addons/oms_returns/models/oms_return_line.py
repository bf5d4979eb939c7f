from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError


class OmsReturnLine(models.Model):
    _name = "oms.return.line"
    _description = "Return Line"
    _order = "return_id desc, id"
    _rec_name = "product_id"
    _check_company_auto = True

    return_id = fields.Many2one("oms.return", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="return_id.company_id", store=True, index=True)
    state = fields.Selection(related="return_id.state", store=True, index=True)
    partner_id = fields.Many2one(related="return_id.partner_id", store=True, string="Buyer")
    channel_id = fields.Many2one(related="return_id.channel_id", store=True)
    currency_id = fields.Many2one(related="return_id.currency_id")

    sale_line_id = fields.Many2one(
        "sale.order.line", string="Order Line", required=True, index=True, ondelete="restrict", check_company=True
    )
    order_id = fields.Many2one(related="sale_line_id.order_id", store=True, index=True, string="Order")
    product_id = fields.Many2one(related="sale_line_id.product_id", store=True, index=True)
    uom_id = fields.Many2one(related="sale_line_id.product_uom_id", string="Unit")
    lot_id = fields.Many2one(
        "stock.lot",
        string="Lot/Serial Number",
        domain="[('product_id', '=', product_id)]",
        check_company=True,
        help="Leave empty to take back what was delivered.",
    )
    quantity = fields.Float(digits="Product Unit", help="Asked for, in the unit of the order line.")
    quantity_cancelled = fields.Float(
        digits="Product Unit", readonly=True, copy=False, help="Refunded before delivery, and taken off the order."
    )
    refund_amount = fields.Monetary(
        string="Amount", help="Refund Only: give back this much, taxes included, instead of a quantity's price."
    )
    reason_id = fields.Many2one("oms.return.reason", index="btree_not_null", check_company=True)
    buyer_note = fields.Char(string="Buyer's Note")
    photo_ids = fields.Many2many("ir.attachment", string="Photos", copy=False)
    disposition = fields.Selection(related="reason_id.disposition", string="Proposed Disposition")

    move_ids = fields.One2many("stock.move", "oms_return_line_id", string="Stock Moves")
    inspection_ids = fields.One2many("oms.return.inspection", "line_id", string="Inspections")
    credit_line_ids = fields.One2many("account.move.line", "oms_return_line_id", string="Credited By")

    qty_received = fields.Float(string="Received", compute="_compute_qty_received", store=True, digits="Product Unit")
    qty_inspected = fields.Float(string="Inspected", compute="_compute_inspected", store=True, digits="Product Unit")
    qty_accepted = fields.Float(string="Accepted", compute="_compute_inspected", store=True, digits="Product Unit")
    qty_to_inspect = fields.Float(
        string="To Inspect", compute="_compute_qty_to_inspect", store=True, digits="Product Unit"
    )
    qty_credited = fields.Float(string="Credited", compute="_compute_credited", store=True, digits="Product Unit")
    qty_not_billed = fields.Float(
        string="Not Billed",
        readonly=True,
        copy=False,
        digits="Product Unit",
        help="Accepted, but never invoiced in an order without a channel, so there is nothing to give back.",
    )
    qty_to_credit = fields.Float(string="To Credit", compute="_compute_to_credit", store=True, digits="Product Unit")
    amount_to_credit = fields.Monetary(compute="_compute_to_credit", store=True)
    amount_asked = fields.Monetary(string="Worth", compute="_compute_amount_asked", store=True)

    _quantity_positive = models.Constraint(
        "CHECK(quantity >= 0 AND refund_amount >= 0)", "Quantity and amount of a return can't be negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("move_ids.state", "move_ids.quantity", "move_ids.product_uom", "move_ids.location_id")
    def _compute_qty_received(self):
        for line in self:
            received = defaultdict(float)
            for move in line._get_receipt_moves():
                unit = move.product_id.uom_id
                received[move.product_id] += move.product_uom._compute_quantity(move.quantity, unit, round=False)
            line.qty_received = line.sale_line_id._oms_count_goods(received)

    @api.depends("inspection_ids.quantity", "inspection_ids.disposition")
    def _compute_inspected(self):
        for line in self:
            accepted = line.inspection_ids.filtered(lambda inspection: inspection.disposition != "back")
            line.qty_inspected = sum(line.inspection_ids.mapped("quantity"))
            line.qty_accepted = sum(accepted.mapped("quantity"))

    @api.depends("qty_received", "qty_inspected", "uom_id")
    def _compute_qty_to_inspect(self):
        for line in self:
            line.qty_to_inspect = line.uom_id.round(max(0.0, line.qty_received - line.qty_inspected))

    @api.depends("credit_line_ids.quantity", "credit_line_ids.parent_state", "credit_line_ids.product_uom_id")
    def _compute_credited(self):
        for line in self:
            credit_lines = line.credit_line_ids.filtered(lambda credit: credit.parent_state != "cancel")
            line.qty_credited = sum(
                credit.product_uom_id._compute_quantity(credit.quantity, line.uom_id, rounding_method="HALF-UP")
                for credit in credit_lines
            )

    @api.depends(
        "return_id.type", "state", "quantity", "refund_amount", "qty_accepted", "qty_credited", "qty_not_billed"
    )
    def _compute_to_credit(self):
        for line in self:
            due = line._get_due_quantity() - line.qty_credited - line.qty_not_billed
            is_amount = bool(line.return_id.type == "refund_only" and line.refund_amount)
            is_amount_due = is_amount and line.state == "approved" and not line.qty_credited
            line.qty_to_credit = 0.0 if is_amount else max(0.0, line.uom_id.round(due)) if line.uom_id else 0.0
            line.amount_to_credit = line.refund_amount if is_amount_due else 0.0

    @api.depends(
        "quantity", "refund_amount", "sale_line_id.price_unit", "sale_line_id.discount", "sale_line_id.tax_ids"
    )
    def _compute_amount_asked(self):
        for line in self:
            worth = line.sale_line_id._oms_get_worth(line.quantity) if line.sale_line_id else 0.0
            line.amount_asked = line.refund_amount or worth

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._refuse_amounts_by_hand(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._refuse_amounts_by_hand(vals)
        return super().write(vals)

    def _refuse_amounts_by_hand(self, vals):
        """What was taken off the order, or was never billed, decides what is given back."""
        if not self.env.su and (vals.get("quantity_cancelled") or vals.get("qty_not_billed")):
            raise AccessError(self.env._("What is given back follows from the order and its invoices."))

    # === BUSINESS METHODS === #

    def _is_credit_due(self):
        self.ensure_one()
        return bool(self.qty_to_credit or self.amount_to_credit)

    def _get_goods(self):
        """Return {product: quantity in its unit} of what comes back as one unit of the line: the product as it was
        delivered, or the parts of a kit."""
        self.ensure_one()
        line_sudo = self.sale_line_id.sudo()  # sudo: stock.move - customer service need not be stock user
        product = self.product_id
        if product in line_sudo.move_ids.product_id:  # also of what became a kit later
            return {product: self.uom_id._compute_quantity(1.0, product.uom_id, round=False)}
        return self.sale_line_id._oms_get_goods()

    def _get_receipt_moves(self):
        """Return the done stock moves that brought the line's goods in, oldest first."""
        self.ensure_one()
        return self.move_ids.filtered(
            lambda move: move.state == "done" and move.location_id.usage == "customer"
        ).sorted(lambda move: (move.date, move.id))

    def _get_pieces_to_inspect(self):
        """Return what of the line came in and was not inspected yet, oldest first, as {receipt's stock move line:
        quantity in the product's unit}."""
        self.ensure_one()
        pieces = {piece: piece.quantity_product_uom for piece in self._get_receipt_moves().move_line_ids}
        for inspection in self.inspection_ids.sorted("id"):
            inspection._take_pieces(pieces)
        return pieces

    def _get_quantities_to_inspect(self):
        """Return {(lot, place): quantity in the line's unit} of what came in and was not inspected yet.

        A kit has no lot, its parts have theirs. One whose parts came in at several places counts at the first of them.
        """
        self.ensure_one()
        is_kit = self.product_id not in self._get_goods()
        total, by_place = defaultdict(float), defaultdict(lambda: defaultdict(float))
        for piece, quantity in self._get_pieces_to_inspect().items():
            lot = piece.lot_id.browse() if is_kit else piece.lot_id
            total[piece.product_id] += quantity
            by_place[lot, piece.location_dest_id][piece.product_id] += quantity
        count = self.sale_line_id._oms_count_goods
        quantities = {place: count(goods) for place, goods in by_place.items()}
        if is_kit and quantities:
            quantities[next(iter(quantities))] += count(total) - sum(quantities.values())
        return {place: quantity for place, quantity in quantities.items() if self.uom_id.compare(quantity, 0) > 0}

    def _get_inspection_problem(self, vals, missing):
        """Return the sentence that refuses an inspection of what is not there.

        :param dict vals: of the row
        :param missing: what of its quantity is not there
        """
        self.ensure_one()
        lot = self.env["stock.lot"].browse(vals.get("lot_id") or ())
        place = self.env["stock.location"].browse(vals.get("location_id") or ())
        return self.env._(
            "%(name)s: %(quantity)s of %(goods)s would be inspected, but only %(left)s came in and wait for it.",
            name=self.return_id.name,
            quantity=self.uom_id._oms_format(vals["quantity"]),
            goods=", ".join(filter(None, (self.product_id.display_name, lot.name, place.display_name))),
            left=self.uom_id._oms_format(vals["quantity"] - missing),
        )

    def _get_due_quantity(self):
        """Return how much of the line the buyer gets money for, credited or not."""
        self.ensure_one()
        if self.return_id.type == "return":
            return self.qty_accepted
        return self.quantity if self.state in ("approved", "done") else 0.0

    def _get_settled_quantity(self):
        """Return how much of what the order line still counts is given back or refunded by this line."""
        self.ensure_one()
        if self.refund_amount:
            return 0.0
        return self._get_due_quantity() - self.quantity_cancelled

    def _get_fee_percent(self, quantity):
        """Return the restocking fee of the ``quantity`` accepted last, which is what is credited next.

        :return: per cent, weighted by quantity
        """
        self.ensure_one()
        left, fees = quantity, 0.0
        for inspection in self.inspection_ids.filtered(lambda row: row.disposition != "back").sorted(
            "id", reverse=True
        ):
            taken = min(left, inspection.quantity)
            fees += taken * inspection.restocking_fee
            left -= taken
        return fees / quantity if quantity else 0.0
