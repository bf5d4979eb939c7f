from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...adapters import get_adapter_class
from ...adapters.types import ChannelConfig


class OmsChannel(models.Model):
    """A shop that is reached by a connector."""

    _inherit = "oms.channel"

    provider = fields.Selection(selection_add=[("custom", "Any shop, by a connector")], ondelete={"custom": "set null"})
    connector_id = fields.Many2one(
        "oms.connector",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="Says how to talk to the shop. Connectors are built under OMS > Channels > Connectors.",
    )
    # groups: it opens the shop; only administrators see or change it
    api_token = fields.Char(
        string="Access Token",
        copy=False,
        groups="base.group_system",
        help="For shops that give a token or session beside key and secret.",
    )

    @api.constrains("provider", "connector_id")
    def _check_connector(self):
        for channel in self:
            if channel.provider == "custom" and not channel.connector_id:
                raise ValidationError(
                    self.env._("%(channel)s needs a connector: choose one, or build it first.", channel=channel.name)
                )

    @api.depends("connector_id")
    def _compute_platform(self):
        """Override to follow the connector, which says what can be done."""
        return super()._compute_platform()

    def _get_capabilities(self):
        """Override: a connector can do what it has calls for."""
        if self.provider != "custom":
            return super()._get_capabilities()
        if not self.connector_id:
            return frozenset()
        config = ChannelConfig(base_url="", options={"connector": self.connector_id._get_spec()})
        return get_adapter_class(self.provider)(config).capabilities

    def _get_webhook_help(self):
        """Override: where a connector says how the shop signs."""
        if self.provider != "custom":
            return super()._get_webhook_help()
        return self.env._(
            "Enter the address and the secret in the shop. How it signs, and where it names the order, stands in the "
            "connector."
        )

    def _get_adapter_values(self):
        """Override: the connector as plain values."""
        values = super()._get_adapter_values()
        if self.provider == "custom":
            if not self.connector_id.active:
                raise UserError(
                    self.env._(
                        "The connector of %(channel)s is archived. Bring it back, or choose another.", channel=self.name
                    )
                )
            values |= {"connector": self.connector_id._get_spec(), "api_token": self.api_token}
        return values
