from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class OmsDeliverySplit(models.TransientModel):
    """Split an order or a delivery group: by what, and what would come of it before it is done."""

    _name = "oms.delivery.split"
    _description = "Split for Shipping"

    order_id = fields.Many2one(
        "sale.order",
        compute="_compute_order_id",
        store=True,
        readonly=False,
        precompute=True,
        help="The order that is split.",
    )
    group_id = fields.Many2one("oms.delivery.group", string="Delivery Group")
    group_order_ids = fields.Many2many(related="group_id.order_ids", string="Orders of the Group")
    currency_id = fields.Many2one(related="order_id.currency_id")
    kind = fields.Selection(
        [
            ("lines", "Chosen products"),
            ("shortage", "What is there and what is not"),
            ("warehouse", "Warehouse"),
            ("weight", "Weight of a parcel"),
            ("value", "Value of a parcel"),
            ("presale", "Day of pre-sale"),
        ],
        string="Split By",
        required=True,
        default="lines",
    )
    limit = fields.Float(help="What one parcel may weigh or be worth at most.")
    line_ids = fields.One2many(
        "oms.delivery.split.line", "wizard_id", compute="_compute_line_ids", store=True, readonly=False
    )
    part_ids = fields.One2many("oms.delivery.split.part", "wizard_id", compute="_compute_part_ids", store=True)
    problem = fields.Char(compute="_compute_part_ids", store=True)

    @api.depends("group_id")
    def _compute_order_id(self):
        for wizard in self:
            if wizard.group_id and wizard.order_id not in wizard.group_id.order_ids:
                wizard.order_id = wizard.group_id.order_ids[:1]

    @api.depends("order_id", "group_id")
    def _compute_line_ids(self):
        for wizard in self:
            quantities = wizard.order_id._oms_get_splittable(wizard.group_id) if wizard.order_id else {}
            wizard.line_ids = [
                Command.clear(),
                *(
                    Command.create({"line_id": line.id, "available_quantity": quantity})
                    for line, quantity in quantities.items()
                ),
            ]

    @api.depends("order_id", "group_id", "kind", "limit", "line_ids.quantity")
    def _compute_part_ids(self):
        for wizard in self:
            parts, values_list, wizard.problem = wizard._get_plan()
            wizard.part_ids = [
                Command.clear(),
                *(Command.create(values) for values in wizard._prepare_part_values_list(parts, values_list)),
            ]

    def action_split(self):
        """Do what the preview shows."""
        self.ensure_one()
        parts, values_list, problem = self._get_plan()
        if problem:
            raise UserError(problem)
        groups = self.order_id._oms_split(parts, values_list, group=self.group_id)
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_delivery_group_action")
        return {**action, "domain": [("id", "in", groups.ids)], "context": {}}

    def _get_plan(self):
        """Return the parts, the values of their groups and the sentence that says why they can't be made."""
        self.ensure_one()
        order = self.order_id
        if not order:
            return [], [], self.env._("Choose an order.")
        if self.kind in ("weight", "value") and self.limit <= 0:
            return [], [], self.env._("Give a limit above zero.")
        if self.kind == "lines":
            part = {row.line_id: row.quantity for row in self.line_ids if row.quantity > 0}
            parts, values_list = ([part] if part else []), [{}] * bool(part)
            if not part:
                return [], [], self.env._("Say how much of which product goes by itself.")
        else:
            parts, values_list = getattr(order, f"_oms_get_{self.kind}_parts")(self.group_id, limit=self.limit)
            if len(parts) < 2:
                return parts, values_list, self.env._("There is nothing to split: all of it belongs together.")
        try:
            order._oms_check_parts(parts, self.group_id)
        except UserError as error:
            return parts, values_list, str(error)
        return parts, values_list, False

    def _prepare_part_values_list(self, parts, values_list):
        """Return the values of the preview: the parts with their content and their money."""
        order = self.order_id
        if not order or not parts:
            return []
        whole = order._oms_get_splittable(self.group_id)
        shown = order._oms_get_all_parts(parts, whole)
        reasons = [values.get("reason") or "" for values in values_list]
        reasons = [""] * (len(shown) - len(parts)) + reasons
        # Money is shared over the whole order, what is in other groups of it included.
        entries = [(line, quantity) for part in shown for line, quantity in part.items()]
        others = [
            (row.line_id, row.quantity)
            for row in order.oms_group_line_ids
            if self.group_id and row.group_id != self.group_id
        ]
        money = iter(order._oms_share_money([*entries, *others]))
        vals_list = []
        for number, (part, reason) in enumerate(zip(shown, reasons, strict=True), 1):
            shares = [next(money) for _line in part]
            vals_list.append(
                {
                    "number": number,
                    "reason": reason,
                    "content": ", ".join(
                        f"{quantity:g} × {line.product_id.display_name}" for line, quantity in part.items()
                    ),
                    "weight": sum(line._oms_get_weight(quantity) for line, quantity in part.items()),
                    "amount_goods": sum(share.goods for share in shares),
                    "amount_discount": sum(share.discount for share in shares),
                    "amount_shipping": sum(share.shipping for share in shares),
                    "amount_tax": sum(share.tax for share in shares),
                    "amount_total": sum(share.total for share in shares),
                }
            )
        return vals_list


class OmsDeliverySplitLine(models.TransientModel):
    _name = "oms.delivery.split.line"
    _description = "Split for Shipping: Product"

    wizard_id = fields.Many2one("oms.delivery.split", required=True, ondelete="cascade", index=True)
    line_id = fields.Many2one("sale.order.line", required=True, readonly=True)
    product_id = fields.Many2one(related="line_id.product_id")
    uom_id = fields.Many2one(related="line_id.product_uom_id", string="Unit")
    available_quantity = fields.Float(string="There", digits="Product Unit", readonly=True)
    quantity = fields.Float(
        string="By Itself", digits="Product Unit", help="How much of it goes in a parcel of its own."
    )


class OmsDeliverySplitPart(models.TransientModel):
    _name = "oms.delivery.split.part"
    _description = "Split for Shipping: Part"
    _order = "number"

    wizard_id = fields.Many2one("oms.delivery.split", required=True, ondelete="cascade", index=True)
    currency_id = fields.Many2one(related="wizard_id.currency_id")
    number = fields.Integer(string="Parcel", readonly=True)
    reason = fields.Char(readonly=True)
    content = fields.Char(readonly=True)
    weight = fields.Float(digits="Stock Weight", readonly=True)
    amount_goods = fields.Monetary(string="Goods", readonly=True)
    amount_discount = fields.Monetary(string="Order Discount", readonly=True)
    amount_shipping = fields.Monetary(string="Shipping", readonly=True)
    amount_tax = fields.Monetary(string="Tax", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True)
