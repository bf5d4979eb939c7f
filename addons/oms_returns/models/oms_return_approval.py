from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import formatLang


class OmsReturn(models.Model):
    """The first axis: asked for, approved or refused."""

    _inherit = "oms.return"

    # === ACTION METHODS === #

    def action_request(self):
        """Hand in the drafts."""
        self._check_group("oms_base.oms_base_group_user")
        self._request()
        return True

    def action_approve(self):
        """Approve the requests (and drafts). What is against the policy only a manager can approve."""
        self._check_group("oms_base.oms_base_group_user")
        self.filtered(lambda oms_return: oms_return.state == "draft")._request(auto_approve=False)
        requested = self.filtered(lambda oms_return: oms_return.state == "requested")
        against = requested.filtered("policy_errors")
        if against and not self.env.user.has_group("oms_base.oms_base_group_manager"):
            raise UserError(
                self.env._(
                    "Only an OMS manager can approve what is against the policy:\n%(returns)s",
                    returns="\n".join(f"{oms_return.name}: {oms_return.policy_errors}" for oms_return in against),
                )
            )
        for oms_return in against:
            oms_return.message_post(
                body=self.env._("Approved against the policy: %(errors)s", errors=oms_return.policy_errors)
            )
        requested._approve()
        return True

    def action_open_refusal(self):
        """Ask why the return is refused, in a dialog whose button refuses it."""
        self.ensure_one()
        view = self.env.ref("oms_returns.oms_return_view_form_refusal")
        return {**self._get_form_action(), "name": self.env._("Refuse"), "views": [(view.id, "form")], "target": "new"}

    def action_refuse(self):
        """Refuse the requests and tell the buyers why."""
        self._check_group("oms_base.oms_base_group_user")
        for oms_return in self:
            if not oms_return.refusal_reason:
                raise UserError(
                    self.env._(
                        "Write in the return %(name)s why you refuse it: the buyer reads it.", name=oms_return.name
                    )
                )
        self._set_state("refused")._send_mail("oms_returns.mail_template_return_refused")
        return True

    def action_cancel(self):
        """Cancel the returns of which nothing was received, and the transfers that wait for the goods."""
        self._check_group("oms_base.oms_base_group_user")
        self._cancel()
        return True

    # === BUSINESS METHODS === #

    def _request(self, auto_approve=True):
        """Hand in the drafts: from now on their quantities are taken.

        :param auto_approve: approve what the policy lets pass without a person
        :raise UserError: when a line asks for more than can come back
        """
        drafts = self.filtered(lambda oms_return: oms_return.state == "draft")
        drafts.order_ids._oms_lock_for_return()
        drafts._check_quantities()
        drafts._set_state("requested").write({"request_date": self.env.cr.now()})
        if auto_approve:
            drafts.filtered(lambda oms_return: oms_return._can_auto_approve())._approve()

    def _approve(self):
        """Approve the requests: transfers are made for the goods, or the refund is prepared; the buyer is told."""
        requested = self.filtered(lambda oms_return: oms_return.state == "requested")
        requested.order_ids._oms_lock_for_return()
        requested._check_quantities()
        approved = requested._set_state("approved")
        goods = approved.filtered(lambda oms_return: oms_return.type == "return")
        goods._create_receipts()
        goods._send_mail("oms_returns.mail_template_return_approved")
        refunds = approved - goods
        refunds._cancel_undelivered()
        refunds._credit_by_policy()

    def _cancel(self):
        """Cancel what may be cancelled.

        :raise UserError: when goods of a return were received already
        """
        received = self.filtered(lambda oms_return: oms_return.state in ("received", "inspected", "done"))
        if received:
            raise UserError(
                self.env._(
                    "Goods of %(returns)s were received already. Inspect them, and send back what you don't accept.",
                    returns=", ".join(received.mapped("name")),
                )
            )
        credited = self.filtered(lambda oms_return: oms_return.money_state in ("draft", "posted", "paid"))
        if credited:
            raise UserError(
                self.env._(
                    "%(returns)s have credit notes. Cancel these first.", returns=", ".join(credited.mapped("name"))
                )
            )
        cancelled = self._set_state("cancelled")
        cancelled._restore_undelivered()
        # sudo: stock.picking - customer service takes back its approval
        cancelled.picking_ids.sudo().filtered(lambda picking: picking.state != "done").action_cancel()

    def _cancel_undelivered(self):
        """Take what is refunded and not delivered yet off the orders, so that it is neither shipped nor invoiced."""
        for line in self.line_ids.filtered(lambda line: line.quantity and not line.refund_amount):
            sale_line = line.sale_line_id
            cancelled = min(line.quantity, sale_line._oms_get_undelivered_quantities()[sale_line])
            if line.uom_id.compare(cancelled, 0) > 0:
                # sudo: oms.return.line, sale.order.line - approving the refund is what allows it
                line.sudo().quantity_cancelled = cancelled
                sale_line.sudo().product_uom_qty -= cancelled

    def _restore_undelivered(self):
        """Put what a refund that does not come after all took off the orders back on them: it is delivered again."""
        for line in self.line_ids.filtered("quantity_cancelled"):
            # sudo: oms.return.line, sale.order.line - as in _cancel_undelivered
            line_sudo = line.sudo()
            line_sudo.sale_line_id.product_uom_qty += line_sudo.quantity_cancelled
            line_sudo.quantity_cancelled = 0.0

    def _get_errors(self):
        """Return why the policy does not allow the return, as a list of sentences."""
        self.ensure_one()
        if not self.line_ids:
            return [self.env._("Nothing is chosen to be returned.")]
        if not self.policy_id:
            return [self.env._("No return policy fits this order.")]
        # sudo: oms.return.policy - the buyer's own request is judged by it
        return self.policy_id.sudo()._get_errors(self)

    def _get_quantity_errors(self):
        """Return a sentence for each line that asks for nothing, or for more than can come back."""
        self.ensure_one()
        errors = [] if self.line_ids else [self.env._("Choose at least one product of %(name)s.", name=self.name)]
        limits = self._get_quantity_limits()
        for sale_line, lines in self.line_ids.grouped("sale_line_id").items():
            asked = sum(lines.mapped("quantity"))
            is_amount = self.type == "refund_only" and all(line.refund_amount > 0 for line in lines)
            amount = sum(lines.mapped("refund_amount"))
            amount_left = sale_line._oms_get_refundable_amount(but_for=self) if is_amount else 0.0
            if self.currency_id.compare_amounts(amount, amount_left) > 0:
                errors.append(
                    self.env._(
                        "%(order)s: only %(limit)s can still be refunded for %(product)s.",
                        order=sale_line.order_id.name,
                        product=sale_line.product_id.display_name,
                        limit=formatLang(self.env, amount_left, currency_obj=self.currency_id),
                    )
                )
            elif any(line.uom_id.compare(line.quantity, 0) <= 0 for line in lines) and not is_amount:
                errors.append(self.env._("Enter how many of %(product)s.", product=sale_line.product_id.display_name))
            elif not is_amount and sale_line.product_uom_id.compare(asked, limits[sale_line]) > 0:
                errors.append(
                    self.env._(
                        "%(order)s: %(asked)s of %(product)s were asked for, but only %(limit)s can still be returned.",
                        order=sale_line.order_id.name,
                        product=sale_line.product_id.display_name,
                        asked=asked,
                        limit=limits[sale_line],
                    )
                )
        return errors or self._get_amount_errors()

    def _get_amount_errors(self):
        """Return a sentence for each order of which more money is asked for than is left of it: its discounts are no
        part of the lines' prices."""
        errors = []
        amount_lines = self.line_ids.filtered("refund_amount") if self.type == "refund_only" else self.line_ids.browse()
        for order, lines in amount_lines.grouped("order_id").items():
            left = order._oms_get_refundable_amount(but_for=self)
            if self.currency_id.compare_amounts(sum(lines.mapped("refund_amount")), left) > 0:
                errors.append(
                    self.env._(
                        "%(order)s: only %(limit)s can still be refunded in all.",
                        order=order.name,
                        limit=formatLang(self.env, max(0.0, left), currency_obj=self.currency_id),
                    )
                )
        return errors

    def _get_quantity_limits(self):
        """Return {sale line: how much of it may be asked for}."""
        limits = self.line_ids.sale_line_id._oms_get_returnable_quantities(but_for=self)
        if self.type == "refund_only":
            for line, undelivered in self.line_ids.sale_line_id._oms_get_undelivered_quantities().items():
                limits[line] += undelivered
        return limits

    def _check_quantities(self):
        """Refuse returns of more than was delivered and is not coming back already.

        :raise UserError: one sentence a line
        """
        for oms_return in self:
            if errors := oms_return._get_quantity_errors():
                raise UserError("\n".join(errors))

    def _check_group(self, group):
        """Refuse what the user's group may not do: the buttons are public methods.

        :raise AccessError: naming the group
        """
        if not self.env.su and not self.env.user.has_group(group):
            raise AccessError(
                self.env._("This needs the group “%(group)s”.", group=self.env.ref(group).sudo().full_name)
            )

    def _can_auto_approve(self):
        """Return whether the return may be approved without a person."""
        self.ensure_one()
        policy_sudo = self.policy_id.sudo()  # sudo: oms.return.policy - the buyer's own request is judged by it
        return bool(policy_sudo) and not self._get_errors() and policy_sudo._can_auto_approve(self)

    def _send_mail(self, template):
        """Send the template to the buyers, in their language, after the transaction."""
        template_sudo = self.env.ref(template).sudo()  # sudo: mail.template - customer service need not own it
        reachable = self.filtered("partner_id.email")
        if reachable:
            template_sudo.send_mail_batch(reachable.ids, email_layout_xmlid="mail.mail_notification_light")

    # === WHAT THE BUYER IS TOLD === #

    def _get_return_addresses(self):
        """Return where the goods are sent to: the warehouses that wait for them, as [(partner, what goes there)]."""
        self.ensure_one()
        # sudo: stock.picking - shown to the buyer
        receipts_sudo = self.sudo().picking_ids.filtered(
            lambda picking: picking.location_id.usage == "customer" and picking.state not in ("done", "cancel")
        )
        by_address = receipts_sudo.sorted("id").grouped(lambda picking: picking.picking_type_id.warehouse_id.partner_id)
        return [(address, receipts.move_ids._oms_get_words()) for address, receipts in by_address.items() if address]

    def _is_shipping_paid_by_seller(self):
        """Return whether the seller pays the way back: when one of the reasons puts it on the seller."""
        self.ensure_one()
        return "seller" in self.sudo().line_ids.reason_id.mapped("shipping_payer")

    def _get_buyer_url(self):
        """Return the absolute address of the return in the portal, with the token that opens it."""
        self.ensure_one()
        return self.get_base_url() + self.get_portal_url()
