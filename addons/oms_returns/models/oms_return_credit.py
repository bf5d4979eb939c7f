from collections import defaultdict

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class OmsReturn(models.Model):
    """The third axis: the money, from what is due to the posted credit notes.

    A credit note credits one invoice, in the invoice's own prices, discounts, taxes and accounts. What the buyer of a
    channel paid and was not invoiced yet is credited from the order line; the invoice that follows is for the whole.
    """

    _inherit = "oms.return"

    # === ACTION METHODS === #

    def action_credit(self):
        """Make the credit notes that are due."""
        self._check_group("oms_base.oms_base_group_accountant")
        due = self.filtered(lambda oms_return: oms_return.money_state == "due")
        if errors := [error for oms_return in due for error in oms_return._get_credit_errors()]:
            raise UserError("\n".join(errors))
        # sudo: account.move - like an invoice made from its order: the documents decide what is in it
        due.sudo()._create_credit_notes()
        return True

    # === BUSINESS METHODS === #

    def _credit_by_policy(self):
        """Make the credit notes that the policies want made at once; what stands in the way is noted on the return."""
        # sudo: account.move, oms.return.policy - the policy credits, whoever inspected
        for oms_return in self.sudo():
            if oms_return.policy_id.auto_credit and oms_return.money_state == "due":
                if errors := oms_return._get_credit_errors():
                    oms_return.message_post(body="\n".join([self.env._("Not credited yet:"), *errors]))
                else:
                    oms_return._create_credit_notes()

    def _get_credit_errors(self):
        """Return what must be settled before the return can be credited, as a list of sentences."""
        self.ensure_one()
        errors = []
        # sudo: oms.hold, account.move - they stand in the way, also of those who may not read them
        for hold in self.sudo().order_ids._oms_get_blocking_holds("refund"):
            errors.append(
                self.env._(
                    "%(name)s: order %(order)s is on hold for refunds (%(hold)s). Release the hold first.",
                    name=self.name,
                    order=hold.order_id.name,
                    hold=hold.type_id.name,
                )
            )
        due_lines = self.sudo().line_ids.filtered(lambda line: line._is_credit_due())
        drafts = due_lines.sale_line_id.invoice_lines.move_id.filtered(
            lambda move: move.state == "draft" and move.move_type == "out_invoice"
        )
        for invoice in drafts:
            errors.append(
                self.env._(
                    "%(name)s: invoice %(invoice)s is still a draft. Post it, then credit the return.",
                    name=self.name,
                    invoice=invoice.display_name,
                )
            )
        return errors

    def _create_credit_notes(self):
        """Create what is due as credit notes, one for each invoice, and post them where the policy says so.

        :return: the credit notes
        """
        # Two returns of one order would both give its shipping back.
        self.order_ids._oms_lock_for_return()
        vals_list = []
        for oms_return in self:
            for document, lines_vals in oms_return._collect_credit_lines().items():
                vals_list.append(oms_return._prepare_credit_note_values(document, lines_vals))
        credit_notes = self.env["account.move"].create(vals_list)
        credit_notes._oms_absorb_cents()
        credit_notes.filtered(lambda move: move.oms_return_id.policy_id.auto_post)._post(soft=False)
        self._sync_state()
        return credit_notes

    def _prepare_credit_note_values(self, document, lines_vals):
        """Return the values of a credit note.

        :param document: the invoice it credits, or the order where nothing is invoiced yet
        :param lines_vals: values of its lines
        """
        self.ensure_one()
        today = fields.Date.context_today(self)
        if document._name == "account.move":
            values = document._oms_prepare_credit_note_values(self.name)
        else:
            values = {**document._prepare_invoice(), "invoice_date": today, "ref": f"{document.name}, {self.name}"}
            # The payments of the order belong to its invoice.
            values.pop("transaction_ids", None)
        return {
            **values,
            "move_type": "out_refund",
            "oms_return_id": self.id,
            "invoice_line_ids": [Command.create(vals) for vals in lines_vals],
        }

    def _collect_credit_lines(self):
        """Return what to credit now, as {invoice or order: [values of credit note lines]}."""
        self.ensure_one()
        parts = defaultdict(list)
        groups = defaultdict(list)
        for line in self.line_ids.filtered(lambda line: line._is_credit_due()):
            if line.amount_to_credit:
                source = line._get_amount_source()
                groups[line._get_document(source)].append(line._prepare_amount_credit_values(source))
                continue
            for source, quantity in line._split_credit():
                parts[line._get_document(source)].append((line, source, quantity))
        for document, goods in parts.items():
            groups[document] += self._prepare_goods_credit_values(document, goods)
        for document, vals in self._prepare_refunded_before(parts):
            groups[document].append(vals)
        if parts:
            for document, lines_vals in self._prepare_shipping_credit_values(parts).items():
                groups[document] += lines_vals
        return groups

    def _prepare_goods_credit_values(self, document, goods):
        """Return the line values for goods of one document: the goods, their share of its discounts, the fee.

        :param goods: [(return line, source line, quantity), ...]
        """
        sources = document._oms_get_credit_sources("goods")
        total = sum(source.price_subtotal for source in sources)
        credited = sum(
            source.price_subtotal * quantity / source._oms_get_quantity() for _line, source, quantity in goods
        )
        taken = defaultdict(float)
        for _line, source, quantity in goods:
            taken[source] += quantity
        is_last = all(
            source.product_id.uom_id.compare(source._oms_get_uncredited()[0], taken[source]) <= 0 for source in sources
        )
        values = [
            vals for line, source, quantity in goods for vals in line._prepare_quantity_credit_values(source, quantity)
        ]
        discounts = document._oms_get_credit_sources("discount")
        for source in discounts:
            left = source._oms_get_uncredited()[1]
            amount = (
                left if is_last else document.currency_id.round(source._oms_get_gross() * credited / (total or 1.0))
            )
            if not document.currency_id.is_zero(amount):
                values.append(
                    source._oms_prepare_credit_values(1.0, price_unit=amount, discount=0.0, oms_is_money_only=True)
                )
        factor = 1.0 + sum(source.price_subtotal for source in discounts) / (total or 1.0)
        for line, source, quantity in goods:
            values += line._prepare_fee_values(source, quantity, factor)
        return values

    def _prepare_refunded_before(self, parts):
        """Return [(document, line values)] that take off what would be given back beyond the price of an order line:
        the buyer got an amount for the same goods before, from us or from the shop.

        :param parts: {document: [(return line, source line, quantity), ...]}
        """
        worth, last = defaultdict(float), {}
        for document, goods in parts.items():
            for line, source, quantity in goods:
                worth[line.sale_line_id] += source.price_total * quantity / source._oms_get_quantity()
                last[line.sale_line_id] = document, line, source
        result = []
        for sale_line, amount in worth.items():
            document, line, source = last[sale_line]
            excess = amount - max(0.0, sale_line._oms_get_refundable_amount())
            # Each credit note rounds: cents are no refund.
            tolerance = self.currency_id.rounding * (1 + len(sale_line.invoice_lines))
            if excess > tolerance:
                result.append((document, line._prepare_refunded_before_values(source, self.currency_id.round(excess))))
        return result

    def _prepare_shipping_credit_values(self, parts):
        """Return the line values for shipping, by the policy, as {invoice or order: [values]}.

        :param parts: the documents credited now
        """
        groups = defaultdict(list)
        rule = self.policy_id.shipping_refund
        orders = self.order_ids.filtered(lambda order: order._oms_is_settled()) if rule == "all" else self.order_ids
        if rule == "never" or not orders:
            return groups
        documents = [
            *orders.invoice_ids.filtered(lambda move: move.move_type == "out_invoice" and move.state == "posted")
        ]
        documents += [document for document in parts if document._name == "sale.order" and document in orders]
        for document in documents:
            for source in document._oms_get_credit_sources("shipping"):
                quantity = source._oms_get_uncredited()[0]
                if quantity > 0 and source._oms_get_sale_lines().order_id <= orders:
                    groups[document].append(source._oms_prepare_credit_values(quantity, oms_is_money_only=True))
        return groups

    def _on_credited(self, credit_notes):
        """Take over that credit notes of these returns are posted: timeline, channel, buyer.

        :param credit_notes: the credit notes just posted
        """
        for oms_return in self:
            moves = credit_notes.filtered(lambda move, ret=oms_return: move.oms_return_id == ret)
            oms_return._log_event("return_credited", message=", ".join(moves.mapped("name")))
            if oms_return.channel_id:
                oms_return.channel_id._notify("refund", moves)
        self._send_mail("oms_returns.mail_template_return_credited")
        self._sync_state()
