from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...adapters import get_adapter_class
from ...adapters.types import ChannelConfig
from ..oms_channel_keys import get_origin


class OmsChannel(models.Model):
    """A shop that is reached by a connector."""

    _inherit = "oms.channel"

    provider = fields.Selection(selection_add=[("custom", "Any shop, by a connector")], ondelete={"custom": "set null"})
    connector_id = fields.Many2one(
        "oms.connector",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        help="Says how to talk to the shop. Connectors are built under OMS > Channels > Own Shop Systems > Connectors.",
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
        return self._get_offline_adapter().capabilities if self.connector_id else frozenset()

    def _get_offline_adapter(self):
        """Return the connector's adapter for what asks no shop."""
        config = ChannelConfig(base_url="", options={"connector": self.connector_id._get_spec()})
        return get_adapter_class(self.provider)(config)

    def _get_cancelled_test(self):
        """Override: a connector says it in its own words. What is wrong with it keeps no order from being stored."""
        if self.provider != "custom":
            return super()._get_cancelled_test()
        try:
            return self._get_offline_adapter().says_cancelled
        except UserError:
            return lambda payload: False

    def _has_keys(self):
        """Override: the token is one, too."""
        return super()._has_keys() or bool(self.api_token)

    def _find_key_hosts(self):
        """Override: keys are exchanged for a token where the connector says, which may be another host."""
        hosts = super()._find_key_hosts()
        connector = self.connector_id
        if self.provider == "custom" and connector.auth_kind == "oauth2" and "://" in (connector.token_path or ""):
            hosts |= {get_origin(connector.token_path)}
        return hosts

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


class OmsConnector(models.Model):
    _inherit = "oms.connector"

    def write(self, vals):
        """Override: keys of channels that use it must not be sent elsewhere by who may not see them."""
        if {"token_path", "auth_kind"}.isdisjoint(vals):
            return super().write(vals)
        # sudo: oms.channel - of all companies that use the connector
        channels_sudo = self.env["oms.channel"].sudo().with_context(active_test=False)
        channels = channels_sudo.search([("connector_id", "in", self.ids)]).sudo(False)
        before = channels._get_key_hosts()
        res = super().write(vals)
        channels._check_key_hosts(before)
        return res
