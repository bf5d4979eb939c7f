from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain


class OmsReturnPolicy(models.Model):
    """What may come back, until when, and what the buyer gets for it.

    The ``_get_*_errors`` methods each check one thing and return sentences for the person who asked.
    """

    _name = "oms.return.policy"
    _description = "Return Policy"
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        "res.company",
        index="btree_not_null",
        default=lambda self: self.env.company,
        help="Leave empty for all companies; a policy with channels or a warehouse needs theirs.",
    )
    channel_ids = fields.Many2many(
        "oms.channel", string="Channels", check_company=True, help="Leave empty for all channels."
    )
    window_days = fields.Integer(
        string="Return Window (days)",
        default=30,
        help="Days after the delivery in which a return can be asked for. They count from the arrival where carriers "
        "tell when parcels arrive.",
    )
    excluded_category_ids = fields.Many2many(
        "product.category", string="Excluded Categories", help="Products of these categories can't be returned."
    )
    auto_approve_amount = fields.Monetary(
        string="Approve Up To",
        help="Requests worth no more than this are approved without a person. 0 means that a person approves each.",
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    restocking_fee = fields.Float(
        string="Restocking Fee (%)", help="Proposed at the inspection, unless the reason puts it on the seller."
    )
    shipping_refund = fields.Selection(
        [("never", "Never"), ("all", "When everything is returned"), ("always", "With the first credit note")],
        required=True,
        default="all",
        help="When the shipping that the buyer paid is credited.",
    )
    auto_credit = fields.Boolean(
        string="Credit When Inspected",
        default=True,
        help="The credit note is made as soon as all goods are inspected. Otherwise an accountant makes it.",
    )
    auto_post = fields.Boolean(
        string="Post Credit Notes",
        default=True,
        help="The credit note is posted at once, and the channel refunds the buyer. Otherwise it stays a draft.",
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        string="Return To",
        check_company=True,
        help="Warehouse that receives the returns. Leave empty for the warehouse that delivered.",
    )
    instructions = fields.Html(
        translate=True, help="Sent to the buyer when the return is approved, and shown in the portal."
    )

    _window_positive = models.Constraint("CHECK(window_days >= 0)", "The return window can't be negative.")
    _fee_range = models.Constraint(
        "CHECK(restocking_fee >= 0 AND restocking_fee <= 100)", "The restocking fee must be between 0 and 100 %."
    )

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for policy in self:
            policy.currency_id = (policy.company_id or self.env.company).currency_id

    # === SELECTION === #

    @api.model
    def _find_policies(self, orders):
        """Return the policy of each order: the first by sequence that fits its company and channel.

        :return: dict {order: policy, which may be empty}
        """
        # sudo: oms.return.policy - the buyer's own request is judged by it
        policies_sudo = self.sudo().search(self._get_policy_domain(orders))
        return {
            order: next((policy for policy in policies_sudo if policy._is_for(order)), policies_sudo.browse())
            for order in orders
        }

    @api.model
    def _get_policy_domain(self, orders):
        """Return the domain of the policies that may apply to ``orders``."""
        return Domain("company_id", "in", [*orders.company_id.ids, False])

    def _is_for(self, order):
        self.ensure_one()
        return self.company_id in (order.company_id, self.env["res.company"]) and (
            not self.channel_ids or order.channel_id in self.channel_ids
        )

    # === CHECKS === #

    def _get_errors(self, oms_return):
        """Return why the policy does not allow the return, as a list of sentences; empty when it does.

        To be extended by adding the sentences of further checks.
        """
        return [
            *self._get_window_errors(oms_return.line_ids),
            *self._get_category_errors(oms_return.line_ids),
            *self._get_photo_errors(oms_return.line_ids),
        ]

    def _get_window_errors(self, lines):
        """Return an error for each line whose goods were delivered too long ago."""
        goods = lines.filtered(lambda line: line.return_id.type == "return")
        dates = goods.sale_line_id._oms_get_delivery_dates()
        return [
            self.env._(
                "%(product)s was delivered on %(date)s, and could be returned until %(last)s.",
                product=line.product_id.display_name,
                date=fields.Date.to_string(self._get_day(dates[line.sale_line_id])),
                last=fields.Date.to_string(self._get_last_day(dates[line.sale_line_id])),
            )
            for line in goods
            if line.sale_line_id in dates and self._is_late(dates[line.sale_line_id])
        ]

    def _get_category_errors(self, lines):
        """Return an error for each line whose product the policy excludes, itself or by a parent category."""
        return [
            self.env._("%(product)s can't be returned.", product=line.product_id.display_name)
            for line in lines
            if self._is_excluded(line.product_id)
        ]

    def _get_photo_errors(self, lines):
        """Return an error for each line whose reason asks for a photo that is not there."""
        return [
            self.env._(
                "Add a photo of %(product)s: the reason “%(reason)s” needs one.",
                product=line.product_id.display_name,
                reason=line.reason_id.name,
            )
            for line in lines
            if line.reason_id.needs_photo and not line.photo_ids
        ]

    def _is_returnable(self, product, delivery_date):
        """Return whether the product, delivered then, may be returned today."""
        return not self._is_excluded(product) and not self._is_late(delivery_date)

    def _is_excluded(self, product):
        path = product.categ_id.parent_path or ""
        return not set(map(str, self.excluded_category_ids.ids)).isdisjoint(path.split("/"))

    def _is_late(self, delivery_date):
        return self._get_last_day(delivery_date) < self._get_day(fields.Datetime.now())

    def _get_last_day(self, delivery_date):
        return self._get_day(delivery_date) + timedelta(days=self.window_days)

    def _get_day(self, moment):
        """Return the day of a moment where the person is; of visitors nobody knows that: where the company is."""
        zone = self.env.context.get("tz") or self.env.user.tz or (self.company_id or self.env.company).partner_id.tz
        return fields.Date.context_today(self.with_context(tz=zone), moment)

    def _can_auto_approve(self, oms_return):
        """Return whether the return may be approved without a person."""
        self.ensure_one()
        limit = oms_return.company_id.currency_id._convert(
            self.auto_approve_amount, oms_return.currency_id, oms_return.company_id
        )
        return limit > 0 and oms_return.currency_id.compare_amounts(oms_return.amount_asked, limit) <= 0
