from odoo import fields, models


class OmsChannel(models.Model):
    """What tills sold, in the figures of their channel. It is not in the pool: it has left, or is on its way by the
    transfers that the till made."""

    _inherit = "oms.channel"

    pos_config_ids = fields.One2many("pos.config", "oms_channel_id", string="Tills")
    pos_order_count = fields.Integer(string="Till Orders", compute="_compute_pos_order_count")

    def _compute_pos_order_count(self):
        # sudo: pos.order - who works for the channel sees how many there are, not what they hold
        counts = dict(
            self.env["pos.order"]
            .sudo()
            ._read_group(
                [("oms_channel_id", "in", self.ids), ("state", "in", ("paid", "done"))], ["oms_channel_id"], ["__count"]
            )
        )
        for channel in self:
            channel.pos_order_count = counts.get(channel, 0)

    def _compute_order_counts(self):
        """Override of `oms_base`: orders of tills are orders of the channel."""
        res = super()._compute_order_counts()
        for channel in self:
            channel.order_count += channel.pos_order_count
        return res

    def action_view_pos_orders(self):
        """Open what the channel's tills sold."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("point_of_sale.action_pos_pos_form")
        return {**action, "domain": [("oms_channel_id", "=", self.id)], "context": {}}
