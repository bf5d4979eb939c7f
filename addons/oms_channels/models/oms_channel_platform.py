from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.oms_base.tools import notification

from ..adapters import base, get_adapter_class
from ..adapters.errors import AdapterError, NotSupported


class OmsChannel(models.Model):
    """What a platform can do and needs, said in the form; and the registration of its webhooks."""

    _inherit = "oms.channel"

    platform_can = fields.Text(string="What This Platform Can Do", compute="_compute_platform")
    platform_cannot = fields.Text(string="What It Cannot Do", compute="_compute_platform")
    platform_webhook_help = fields.Text(string="How Its Webhooks Are Set Up", compute="_compute_platform")
    is_webhook_setup_possible = fields.Boolean(compute="_compute_platform")

    # === COMPUTE METHODS === #

    @api.depends("provider")
    def _compute_platform(self):
        labels = self._get_capability_labels()
        for channel in self:
            capabilities = channel._get_capabilities()
            can = [label for key, label in labels.items() if key in capabilities]
            cannot = [label for key, label in labels.items() if key not in capabilities] if channel.provider else []
            cannot += channel._get_platform_limits()
            channel.platform_can = "\n".join(can) if channel.provider else False
            channel.platform_cannot = "\n".join(cannot) or False
            channel.platform_webhook_help = channel._get_webhook_help()
            channel.is_webhook_setup_possible = base.WEBHOOK_SETUP in capabilities

    def _get_capabilities(self):
        """Return the capabilities of the channel's platform."""
        self.ensure_one()
        adapter_class = self._get_adapter_class()
        return adapter_class.capabilities if adapter_class else frozenset()

    def _get_adapter_class(self):
        """Return the class of the channel's platform, None when there is none."""
        try:
            return get_adapter_class(self.provider) if self.provider else None
        except NotSupported:  # an addon that brought the platform is gone
            return None

    def _get_cancelled_test(self):
        """Return the callable that says of a raw order whether it is cancelled, without reading all of it."""
        self.ensure_one()
        adapter_class = self._get_adapter_class()
        return adapter_class.says_cancelled if adapter_class else lambda payload: False

    @api.model
    def _get_capability_labels(self):
        """Return {capability of adapters: what it means to a user}, in the order in which it is read."""
        return {
            base.ORDERS: self.env._("Orders come in by themselves, new and changed ones"),
            base.AUDIT: self.env._("Its orders are counted against those here, so that none is lost unseen"),
            base.WEBHOOK: self.env._("The shop tells of changes at once (webhook)"),
            base.WEBHOOK_SETUP: self.env._("Its webhooks are registered and repaired from here"),
            base.LISTINGS: self.env._("Its products are imported and matched"),
            base.STOCK: self.env._("Stock is published to it"),
            base.STOCK_READ: self.env._("Its stock is read back and compared daily"),
            base.PRICE: self.env._("It takes our prices"),
            base.SHIPMENT: self.env._("It is told of each parcel with its tracking number"),
            base.DELIVERED: self.env._("It is told when a parcel has arrived"),
            base.CANCEL: self.env._("An order cancelled here is cancelled in the shop and paid back"),
            base.CANCEL_LINES: self.env._("Units taken off an order here are cancelled in the shop and paid back"),
            base.ANSWER: self.env._("Returns that buyers ask for in the shop are approved or refused there"),
            base.RETURN_RECEIVED: self.env._("It is told of goods that came back"),
            base.REFUND: self.env._("Credit notes are paid back through the shop"),
            base.REFRESH: self.env._("Its keys are renewed before they end"),
        }

    def _get_platform_limits(self):
        """Return what a platform does only in part, as a list of sentences. To be extended by platforms."""
        self.ensure_one()
        if self.provider == "medusa":
            return [
                self.env._(
                    "It knows no consent to a return: what is refused is cancelled there, and the reason kept with the "
                    "order"
                )
            ]
        if self.provider == "vendure":
            return [
                self.env._("A parcel has a tracking number, but no link to the carrier's page"),
                self.env._("It does not report most changes in its list: open orders are re-read, or come by webhook"),
            ]
        if self.provider == "woocommerce":
            return [
                self.env._(
                    "Without its Order Fulfillments feature, parcels are kept in the order's custom fields and told to "
                    "the buyer by a note"
                ),
                self.env._("Money paid by bank transfer, cheque or on delivery is only written down as refunded"),
            ]
        return []

    def _get_webhook_help(self):
        """Return how the webhooks of the platform are set up. To be extended by platforms."""
        self.ensure_one()
        if self.provider == "woocommerce":
            return self.env._(
                "Click on Register Webhooks. It makes those that are missing in the shop, wakes those that were "
                "switched off and corrects their address. The key must have the permission Read/Write."
            )
        if self.provider == "vendure":
            return self.env._(
                "Vendure has no webhooks of its own: install a plugin that sends its order events to the address above "
                "as JSON (event, data.orderId, at), with the header x-vendure-hmac-sha256: base64 of the HMAC-SHA256 "
                "of the body, made with the secret. The addon's README names one to copy."
            )
        if self.provider == "medusa":
            return self.env._(
                "Medusa has no webhooks of its own: add a subscriber that sends its order and payment events to the "
                "address above as JSON (event, data.id, at), with the header x-medusa-hmac-sha256: base64 of the "
                "HMAC-SHA256 of the body, made with the secret. The addon's README names one to copy."
            )
        if self.provider == "marketplace":
            return self.env._("Enter the address and the secret in the marketplace's settings of your application.")
        return False

    # === ACTION METHODS === #

    def action_register_webhooks(self):
        """Have the shop send its events here: make what is missing there, mend what sleeps or points elsewhere."""
        self.ensure_one()
        self.check_access("write")
        if not self.is_webhook_setup_possible:
            raise UserError(self.env._("The webhooks of %(channel)s are set up in the shop itself.", channel=self.name))
        channel_sudo = self.sudo()  # sudo: oms.channel - the secret is handed to the shop, never shown
        if not channel_sudo.webhook_secret:
            channel_sudo.action_generate_webhook_secret()
        try:
            adapter = self._get_adapter(is_live=True)
            report = adapter.ensure_webhooks(self.webhook_url, channel_sudo.webhook_secret)
            registered = adapter.fetch_webhooks()
        except AdapterError as error:
            raise UserError(
                self.env._(
                    "The webhooks of %(channel)s could not be registered: %(error)s",
                    channel=self.name,
                    error=error.message,
                )
            ) from error
        lines = [
            self.env._("%(what)s: %(topics)s", what=what, topics=", ".join(topics))
            for what, topics in (
                (self.env._("Made"), report.created),
                (self.env._("Corrected"), report.updated),
                (self.env._("Right before"), report.unchanged),
            )
            if topics
        ]
        others = [row for row in registered if row.url != self.webhook_url]
        if others:
            lines.append(self.env._("The shop has %(count)s webhooks to other addresses.", count=len(others)))
        lines += report.warnings
        return notification("\n".join(lines), title=self.env._("Webhooks Registered"))
