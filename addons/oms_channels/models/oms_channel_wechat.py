from odoo import fields, models


class OmsChannel(models.Model):
    """WeChat shops: what their form says. Their keys are the AppID and the AppSecret, without a session."""

    _inherit = "oms.channel"

    provider = fields.Selection(selection_add=[("wechat", "WeChat Shop")], ondelete={"wechat": "set null"})

    def _get_platform_limits(self):
        """Override."""
        limits = super()._get_platform_limits()
        if self.provider == "wechat":
            limits += [
                self.env._(
                    "A paid order is cancelled and paid back only when the buyer asks: the request is granted from here"
                ),
                self.env._("Names, phones and addresses stay hidden where the platform hides them"),
                self.env._("WeChat takes one refund of an order a minute: further ones are tried again by themselves"),
                self.env._("Exchanges are agreed to or refused in WeChat's own desk"),
            ]
        return limits

    def _get_webhook_help(self):
        """Override."""
        if self.provider == "wechat":
            return self.env._(
                "WeChat's encrypted messages are not read here: orders come by pulling; pull every minute."
            )
        return super()._get_webhook_help()
