from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    channel_line_id = fields.Char(
        string="Channel Line ID",
        copy=False,
        readonly=True,
        index="btree_not_null",
        help="The line's technical id in the channel.",
    )

    _channel_line_uniq = models.UniqueIndex(
        "(order_id, channel_line_id) WHERE channel_line_id IS NOT NULL",
        "This line of the channel's order is already there.",
    )

    def _oms_get_channel_line_id(self):
        """Return the id in the channel of the line that one line fulfils, or False. To be extended by addons whose
        lines stand in for others."""
        self.ensure_one()
        return self.channel_line_id

    # === WHAT MOVED === #

    def _oms_get_moves(self, strict=False):
        """Return the moves that take the goods of one line to the buyer, and those that bring them back. To be
        overridden for lines whose goods are not what is sold: kits.

        :param strict: the last steps of their way, instead of the first ones
        """
        return self._get_outgoing_incoming_moves(strict=strict)

    def _oms_count_moves(self, moves, get_quantity):
        """Return how many of the product of one line, in the product's unit, some of its moves stand for. To be
        overridden together with `_oms_get_moves`.

        :param get_quantity: function from a move to a quantity in the move's unit
        """
        self.ensure_one()
        unit = self.product_id.uom_id
        return sum(move.product_uom._compute_quantity(get_quantity(move), unit) for move in moves)

    def _oms_count_transfer(self, moves, get_quantity=None):
        """Return how much of one line, in its unit, left or came back with its ``moves`` of one transfer. To be
        overridden together with `_oms_get_moves`.

        :param get_quantity: function from one of them to the part of it to count, in the move's unit; all by default
        """
        count = self._oms_count_moves(moves, get_quantity or (lambda move: move.quantity))
        return self.product_id.uom_id._compute_quantity(count, self.product_uom_id)

    def _get_invoice_lines(self):
        """Override of `sale` to leave out what credits money and not quantity.

        Goods refunded without being delivered again, shared discounts and shipping would otherwise be due once more.
        """
        return super()._get_invoice_lines().filtered(lambda line: not line.oms_is_money_only)

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Override of `sale_stock` to keep the gate "allocate": what is on hold is launched once it is released."""
        if self.env.context.get("skip_procurement"):  # Odoo's own key: nothing is launched, so there is no gate to pass
            return super()._action_launch_stock_rule(previous_product_uom_qty=previous_product_uom_qty)
        lines = self._oms_filter_launchable()
        return super(SaleOrderLine, lines)._action_launch_stock_rule(previous_product_uom_qty=previous_product_uom_qty)

    def _oms_filter_launchable(self):
        """Return the lines whose orders may pass the gate "allocate"; the others are marked to be launched later."""
        orders = self.order_id.filtered("channel_id")
        blocked = orders - orders._oms_pass_gate("allocate") if orders else orders
        if not blocked:
            return self
        waiting = self.filtered(lambda line: line.order_id in blocked)
        waiting._oms_await_launch()
        return self - waiting

    def _oms_filter_from_stock(self):
        """Return the lines of goods that come from the shelf of a warehouse, whatever the state of their orders: not
        dropshipped, not made to order, without a route of their own."""
        lines = self.filtered(lambda line: line._oms_is_shippable() and not line.route_ids)
        products = lines.product_id
        others = products - products._oms_filter_from_stock()
        return lines.filtered(lambda line: line.product_id not in others) if others else lines
