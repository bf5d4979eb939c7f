from odoo import fields, models

from .oms_channel_message import KEEP_DAYS as MESSAGE_DAYS
from .oms_channel_push import KEEP_DAYS as PUSH_DAYS


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    oms_message_keep_days = fields.Integer(
        string="Keep Messages (days)", config_parameter="oms_channels.message_keep_days", default=MESSAGE_DAYS
    )
    oms_push_keep_days = fields.Integer(
        string="Keep Pushes (days)", config_parameter="oms_channels.push_keep_days", default=PUSH_DAYS
    )
