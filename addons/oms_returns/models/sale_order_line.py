import math
from collections import defaultdict

from odoo import fields, models
from odoo.fields import Domain


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    return_line_ids = fields.One2many("oms.return.line", "sale_line_id", string="Returns")

    def _oms_is_goods(self):
        """Return whether the line is for goods that can come back."""
        self.ensure_one()
        return self.product_id.type == "consu" and not self.display_type and not self._is_delivery()

    def _oms_get_returnable_quantities(self, but_for=None):
        """Return how much of each line may still be asked back: delivered, less what came or is about to come back.

        Returns made with Odoo's own wizard count, and so do requests that wait for approval.

        :param but_for: oms.return records whose own quantities are not counted
        :return: dict {line: quantity in the line's unit, never negative}
        """
        moved = self._oms_sum_moved_quantities(
            Domain("location_dest_id.usage", "=", "customer") & Domain("state", "=", "done")
        )
        back = self._oms_sum_moved_quantities(
            Domain("location_id.usage", "=", "customer")
            & Domain("oms_return_line_id", "not in", but_for.line_ids.ids if but_for else [])
        )
        asked = self._oms_get_asked_quantities(but_for)
        result = {}
        for line in self.with_prefetch():
            left = {product: quantity - back[line].get(product, 0.0) for product, quantity in moved[line].items()}
            result[line] = max(0.0, line.product_uom_id.round(line._oms_count_goods(left) - asked.get(line, 0.0)))
        return result

    def _oms_get_undelivered_quantities(self):
        """Return how much of each line is still to leave: what never left of what is ordered, or what an open delivery
        takes, in exchange for something that came back. What else came back left once: nobody waits for it.

        :return: dict {line: quantity in the line's unit, never negative}
        """
        # A delivery of what was rejected brings back what had left before.
        outgoing = Domain("location_dest_id.usage", "=", "customer") & Domain("origin_returned_move_id", "=", False)
        left = self._oms_sum_moved_quantities(outgoing & Domain("state", "=", "done"))
        leaving = self._oms_sum_moved_quantities(outgoing & Domain("state", "!=", "done"))
        result = {}
        for line in self:
            missing = line.product_uom_qty - line._oms_count_goods(left[line])
            waiting = max(missing, line._oms_count_goods(leaving[line]))
            waiting = min(waiting, line.product_uom_qty - line.qty_delivered)
            result[line] = max(0.0, line.product_uom_id.round(waiting))
        return result

    def _get_qty_procurement(self, previous_product_uom_qty=False):
        """Override of `sale_stock`: what comes back with a return is given back, so nobody asks for it anew. Odoo takes
        it for not delivered, would leave as much in open deliveries of a line that is lowered, and send it again."""
        quantity = super()._get_qty_procurement(previous_product_uom_qty=previous_product_uom_qty)
        if not any(move.oms_return_line_id for move in self.move_ids):
            return quantity
        back, again = (
            self._oms_count_moves(moves.filtered("oms_return_line_id"), lambda move: move._oms_get_asked_quantity())
            for moves in reversed(self._oms_get_moves())
        )
        unit = self.product_id.uom_id
        return quantity + unit._compute_quantity(back - again, self.product_uom_id, rounding_method="HALF-UP")

    def _oms_get_goods(self):
        """Return {product: quantity in its unit} of what leaves and comes back as one unit of the line: the product, or
        the parts of a kit."""
        self.ensure_one()
        one = self.product_uom_id._compute_quantity(1.0, self.product_id.uom_id, round=False)
        return self.product_id.with_company(self.company_id)._oms_explode(one)

    def _oms_count_goods(self, quantities):
        """Return how much of the line, in its unit, these goods are; of a kit what its scarcest part makes.

        :param dict quantities: {product: quantity in its unit}
        """
        self.ensure_one()
        if self.product_id in quantities:  # also of what became a kit later
            unit = self.product_id.uom_id
            own = quantities[self.product_id]
            return unit._compute_quantity(own, self.product_uom_id, rounding_method="HALF-UP")
        goods = self._oms_get_goods() if quantities else {}
        return min((math.floor(quantities.get(part, 0.0) / needed + 1e-6) for part, needed in goods.items()), default=0)

    def _oms_sum_moved_quantities(self, domain):
        """Return {line: {product: quantity in its unit}} of these lines' stock moves: what is done, else planned."""
        quantities = defaultdict(lambda: defaultdict(float))
        # sudo: stock.move - the buyer's own request is judged by them
        groups = (
            self.env["stock.move"]
            .sudo()
            ._read_group(
                domain & Domain("sale_line_id", "in", self.ids) & Domain("state", "!=", "cancel"),
                ["sale_line_id", "product_id", "product_uom", "state"],
                ["quantity:sum", "product_uom_qty:sum"],
            )
        )
        for line, product, uom, state, done, planned in groups:
            quantity = uom._compute_quantity(done if state == "done" else planned, product.uom_id, round=False)
            quantities[line.sudo(self.env.su)][product.sudo(self.env.su)] += quantity
        return quantities

    def _oms_get_asked_quantities(self, but_for=None):
        """Return {line: quantity} that returns keep back without a stock move: requests, and refunds without goods."""
        domain = (
            Domain("sale_line_id", "in", self.ids)
            & Domain("return_id", "not in", (but_for or self.env["oms.return"]).ids)
            & (
                Domain("state", "=", "requested")
                | Domain("return_id.type", "=", "refund_only") & Domain("state", "in", ("approved", "done"))
            )
        )
        # sudo: oms.return.line - other people's requests count as well
        groups = (
            self.env["oms.return.line"]
            .sudo()
            ._read_group(domain, ["sale_line_id"], ["quantity:sum", "quantity_cancelled:sum"])
        )
        return {line.sudo(self.env.su): asked - cancelled for line, asked, cancelled in groups}

    def _oms_get_delivery_dates(self):
        """Return when the goods of each line reached the buyer, as {line: datetime}, without lines never delivered.

        Where nobody knows when a transfer arrived: when it left.
        """
        groups = (
            self.env["stock.move"]
            .sudo()  # sudo: stock.move - the buyer's own request is judged by them
            ._read_group(
                Domain("sale_line_id", "in", self.ids)
                & Domain("location_dest_id.usage", "=", "customer")
                & Domain("state", "=", "done"),
                ["sale_line_id", "picking_id"],
                ["date:max"],
            )
        )
        arrivals = self.env["stock.picking"].sudo().union(*(picking for _line, picking, _date in groups))
        arrivals = arrivals._oms_get_arrival_dates()
        dates = {}
        for line, picking, left in groups:
            arrived = max(left, arrivals.get(picking, left))
            line = line.sudo(self.env.su)
            dates[line] = max(dates.get(line, arrived), arrived)
        return dates

    def _oms_get_refundable_amount(self, but_for=None):
        """Return what the buyer paid for the line, taxes included, less what was or is about to be given back.

        :param but_for: oms.return records whose own amounts are not counted
        """
        self.ensure_one()
        line_sudo = self.sudo()  # sudo: account.move.line - customer service reads no journal items
        invoiced = credited = 0.0
        for line in line_sudo.invoice_lines:
            if line.move_id.move_type == "out_refund" and line.parent_state != "cancel":
                credited += line.price_total
            elif line.move_id.move_type == "out_invoice" and line.parent_state == "posted":
                invoiced += line.price_total
        returns_sudo = line_sudo.return_line_ids.filtered(lambda line: line.return_id not in (but_for or ()))
        paid = max(invoiced, line_sudo.price_total + line_sudo._oms_get_cancelled_amount())
        return paid - credited - sum(returns_sudo.mapped("amount_to_credit"))

    def _oms_get_worth(self, quantity):
        """Return what ``quantity`` of one line costs, taxes included, however much is still ordered."""
        self.ensure_one()
        base_line, Tax = self._prepare_base_line_for_taxes_computation(quantity=quantity), self.env["account.tax"]
        Tax._add_tax_details_in_base_line(base_line, self.company_id)
        Tax._round_base_lines_tax_details([base_line], self.company_id)
        return base_line["tax_details"]["total_included_currency"]

    def _oms_get_cancelled_amount(self):
        """Return what refunds before the delivery took off these lines, taxes included."""
        quantities = {line: sum(line.return_line_ids.mapped("quantity_cancelled")) for line in self}
        return sum(line._oms_get_worth(quantity) for line, quantity in quantities.items() if quantity)

    def _oms_is_settled(self):
        """Return whether all of the line's goods were given back or refunded."""
        self.ensure_one()
        settled = sum(line._get_settled_quantity() for line in self.return_line_ids)
        return self.product_uom_id.compare(settled, self.product_uom_qty) >= 0

    # === SOURCE OF CREDIT LINES, see account.move.line === #

    def _oms_get_credit_kind(self):
        """Return how the line takes part in a credit: "goods", "shipping", "discount", or False."""
        if not self or self.display_type or self.is_downpayment:
            return False
        if self._is_delivery():
            return "shipping"
        if self._oms_is_goods():
            return "goods"
        return "discount" if self.price_subtotal < 0 else False

    def _oms_get_credit_lines(self, invoice=None):
        """Return the credit note lines that gave back quantities or shares of these lines.

        :param invoice: of this invoice; without it, those that credit what was not invoiced
        """
        return self.invoice_lines.filtered(
            lambda line: (
                line.move_id.move_type == "out_refund"
                and line.parent_state != "cancel"
                and line.move_id.reversed_entry_id == (invoice or self.env["account.move"])
                and not line.oms_return_line_id.refund_amount
                and line.product_id  # else an amount that the shop gave back, for no goods
            )
        )

    def _oms_get_sale_lines(self):
        return self

    def _oms_get_quantity(self):
        return self.product_uom_qty

    def _oms_get_gross(self):
        return self.price_unit * self.product_uom_qty * (1.0 - self.discount / 100.0)

    def _oms_get_uncredited(self):
        self.ensure_one()
        credits = self._oms_get_credit_lines()
        left = self.product_uom_qty - self._oms_get_billed_quantity() - sum(credits.mapped("quantity"))
        return left, self._oms_get_gross() - sum(line._oms_get_gross() for line in credits)

    def _oms_get_unbilled_quantity(self):
        """Return how much of what was ordered is in no invoice and was not credited without one, what refunds took off
        the order included."""
        self.ensure_one()
        cancelled = sum(self.return_line_ids.mapped("quantity_cancelled"))
        return max(0.0, cancelled + self._oms_get_uncredited()[0])

    def _oms_get_billed_quantity(self):
        """Return the quantity in the line's invoices, credit notes not taken off."""
        self.ensure_one()
        return sum(
            line.product_uom_id._compute_quantity(line.quantity, self.product_uom_id, rounding_method="HALF-UP")
            for line in self.invoice_lines
            if line.move_id.move_type == "out_invoice" and line.parent_state != "cancel"
        )

    def _oms_prepare_credit_values(self, quantity, **values):
        self.ensure_one()
        return self._prepare_invoice_line(quantity=quantity, **values)
