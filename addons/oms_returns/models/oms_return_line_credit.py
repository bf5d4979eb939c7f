from odoo import models


class OmsReturnLine(models.Model):
    """How one return line turns into lines of credit notes.

    A *source* is what a credit line is copied from: a line of a posted invoice, or an order line that is not invoiced.
    """

    _inherit = "oms.return.line"

    def _get_document(self, source):
        """Return the invoice or order that ``source`` is a line of."""
        return source.move_id if source._name == "account.move.line" else source.order_id

    def _get_invoice_sources(self):
        """Return the posted invoice lines of the order line, oldest first."""
        self.ensure_one()
        return self.sale_line_id.invoice_lines.filtered(
            lambda line: (
                line.move_id.move_type == "out_invoice" and line.parent_state == "posted" and not line.oms_is_money_only
            )
        ).sorted(lambda line: (line.date, line.id))

    def _get_amount_source(self):
        """Return the line whose taxes and account a refunded amount takes."""
        return self._get_invoice_sources()[:1] or self.sale_line_id

    def _split_credit(self):
        """Return what to credit from where, as [(source, quantity in the source's unit), ...].

        What was never invoiced is credited from the order line when a channel collected the money with the order;
        otherwise nobody was billed, or the shop gave it back by itself, and nothing is due.
        """
        self.ensure_one()
        parts = []
        left = self.qty_to_credit
        for source in self._get_invoice_sources():
            wanted = self.uom_id._compute_quantity(left, source.product_uom_id, rounding_method="HALF-UP")
            taken = min(wanted, source._oms_get_uncredited()[0])
            if source.product_uom_id.compare(taken, 0) > 0:
                parts.append((source, taken))
                left -= source.product_uom_id._compute_quantity(taken, self.uom_id, rounding_method="HALF-UP")
        unbilled = min(left, self.sale_line_id._oms_get_unbilled_quantity()) if self.order_id.channel_id else 0.0
        if self.uom_id.compare(unbilled, 0) > 0:
            parts.append((self.sale_line_id, unbilled))
            left -= unbilled
        if self.uom_id.compare(left, 0) > 0:
            self.qty_not_billed += left
        return parts

    def _prepare_quantity_credit_values(self, source, quantity):
        """Return the values of the credit lines for a quantity.

        What leaves the order lowers what is invoiced; what the order still counts must not, or it would be invoiced
        again.
        """
        self.ensure_one()
        if self.return_id.type == "return":
            keeps_invoiced = self.product_id.invoice_policy == "order"
            parts = [(quantity, keeps_invoiced)]
        else:
            cancelled = min(quantity, max(0.0, self.quantity_cancelled - self.qty_credited))
            parts = [(cancelled, False), (quantity - cancelled, True)]
        return [
            source._oms_prepare_credit_values(part, oms_return_line_id=self.id, oms_is_money_only=money_only)
            for part, money_only in parts
            if self.uom_id.compare(part, 0) > 0
        ]

    def _prepare_amount_credit_values(self, source):
        """Return the values of the credit line that gives back ``amount_to_credit``, taxes included."""
        self.ensure_one()
        return source._oms_prepare_credit_values(
            1.0,
            price_unit=source.tax_ids._oms_get_price(
                self.amount_to_credit, self.product_id, self.currency_id, source.extra_tax_data
            ),
            discount=0.0,
            product_uom_id=self.product_id.uom_id.id,
            oms_return_line_id=self.id,
            oms_is_money_only=True,
        )

    def _prepare_refunded_before_values(self, source, amount):
        """Return the values of the line that takes off what the buyer got back for these goods before, as an amount.

        It is linked with the order line, so that what was given back for it adds up, and stands for no goods.
        """
        self.ensure_one()
        values = source._oms_prepare_credit_values(
            1.0,
            price_unit=-source.tax_ids._oms_get_price(amount, self.product_id, self.currency_id, source.extra_tax_data),
            discount=0.0,
            oms_is_money_only=True,
        )
        name = self.env._("Refunded before: %(product)s", product=self.product_id.display_name)
        return {**values, "name": name, "product_id": False, "product_uom_id": False}

    def _prepare_fee_values(self, source, quantity, factor):
        """Return the values of the restocking fee for a credited quantity: a list, empty without a fee.

        :param factor: share of the price that is left after the discounts of the whole document
        """
        self.ensure_one()
        percent = self._get_fee_percent(self.qty_to_credit)
        price = source.price_unit * (1.0 - source.discount / 100.0) * quantity * factor
        fee = self.currency_id.round(price * percent / 100.0)
        if self.currency_id.is_zero(fee):
            return []
        values = source._oms_prepare_credit_values(1.0, price_unit=-fee, discount=0.0, oms_is_money_only=True)
        values.update(
            name=self.env._(
                "Restocking fee %(percent)g %%: %(product)s", percent=percent, product=self.product_id.display_name
            ),
            product_id=False,
            product_uom_id=False,
            sale_line_ids=False,
        )
        return [values]
