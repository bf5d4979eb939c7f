from odoo import api, fields, models

# Who sells without the suite reads orders, and none of what is kept for the channels.
READERS = "oms_base.oms_base_group_user,oms_base.oms_base_group_accountant"


class SaleOrder(models.Model):
    """What the shop says of an order beyond what `oms_base` keeps, and the way from the order to its messages."""

    _inherit = "sale.order"

    channel_status = fields.Selection(
        [("open", "Open"), ("cancelled", "Cancelled"), ("completed", "Completed")],
        string="Status in the Channel",
        readonly=True,
        copy=False,
    )
    channel_version = fields.Char(readonly=True, copy=False, help="Version of the shop's order that was applied last.")
    channel_digest = fields.Char(readonly=True, copy=False)
    channel_snapshot = fields.Json(
        readonly=True, copy=False, help="Address, quantities and total as the shop said them last."
    )
    channel_is_masked = fields.Boolean(
        string="Buyer Masked by the Shop",
        readonly=True,
        copy=False,
        help="The shop hides name, phone or address; the label is printed by its own means.",
    )
    channel_seller_note = fields.Text(string="Note of the Shop's Staff", readonly=True, copy=False)
    channel_message_ids = fields.One2many(
        "oms.channel.message", "order_id", string="Channel Messages", readonly=True, groups=READERS
    )
    channel_push_ids = fields.One2many(
        "oms.channel.push", "order_id", string="Channel Pushes", readonly=True, groups=READERS
    )
    channel_payment_ids = fields.One2many(
        "oms.channel.payment", "order_id", string="Channel Payments", readonly=True, groups=READERS
    )
    channel_message_count = fields.Integer(compute="_compute_channel_counts", compute_sudo=True)
    channel_push_count = fields.Integer(compute="_compute_channel_counts", compute_sudo=True)
    channel_push_failed = fields.Boolean(compute="_compute_channel_counts", compute_sudo=True)
    channel_payment_count = fields.Integer(compute="_compute_channel_counts", compute_sudo=True)

    @api.depends("channel_message_ids", "channel_push_ids.state", "channel_payment_ids")
    def _compute_channel_counts(self):
        for order in self:
            order.channel_message_count = len(order.channel_message_ids)
            order.channel_push_count = len(order.channel_push_ids)
            order.channel_push_failed = any(push.state == "failed" for push in order.channel_push_ids)
            order.channel_payment_count = len(order.channel_payment_ids)

    # === ACTION METHODS === #

    def action_view_channel_rows(self):
        """Open the messages, pushes or payments of these orders; the context key ``oms_model`` names which."""
        actions = {
            "oms.channel.message": "oms_channels.oms_channel_message_action",
            "oms.channel.push": "oms_channels.oms_channel_push_action",
            "oms.channel.payment": "oms_channels.oms_channel_payment_action",
        }
        action = self.env["ir.actions.act_window"]._for_xml_id(actions[self.env.context["oms_model"]])
        return {**action, "domain": [("order_id", "in", self.ids)], "context": {"create": False}}

    # === BUSINESS METHODS === #

    def _get_same_parcel_fields(self):
        """Override of `oms_base`: a transfer goes with one carrier, which is what the shops are told."""
        return [*super()._get_same_parcel_fields(), "carrier_id"]

    def _action_confirm(self):
        """Override of `sale`: what is invoiced at confirmation is invoiced in the background."""
        res = super()._action_confirm()
        self.channel_id._wake_invoicing("confirmed")
        self._filter_services().channel_id._wake_invoicing("shipped")
        return res
