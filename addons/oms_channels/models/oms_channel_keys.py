from urllib.parse import urlsplit

from odoo import models
from odoo.exceptions import AccessError

# What of a channel says where its keys go.
HOST_FIELDS = frozenset(("base_url", "provider", "connector_id"))


class OmsChannel(models.Model):
    """Keys are for administrators, and go with every call: so only they may send them to another host."""

    _inherit = "oms.channel"

    def write(self, vals):
        if HOST_FIELDS.isdisjoint(vals):
            return super().write(vals)
        before = self._get_key_hosts()
        res = super().write(vals)
        self._check_key_hosts(before)
        return res

    def _get_key_hosts(self):
        """Return {channel: hosts that are sent its keys} of the channels that have keys."""
        # sudo: oms.channel - whether there are keys, not which
        return {channel: channel._find_key_hosts() for channel in self.sudo() if channel._has_keys()}

    def _has_keys(self):
        """Return whether there is anything to protect. To be extended by who adds a key."""
        return bool(self.api_key or self.api_secret or self.token_ids)

    def _find_key_hosts(self):
        """Return the origins that are sent the keys. To be extended where there are others than the shop's."""
        self.ensure_one()
        return {get_origin(self.base_url)} if self.base_url else set()

    def _check_key_hosts(self, before):
        """Refuse a change by who is no administrator that sends keys somewhere they did not go before.

        :param before: see `_get_key_hosts`, before the change
        """
        if self.env.is_system():
            return
        for channel, hosts in self._get_key_hosts().items():
            if hosts - before.get(channel, set()):
                raise AccessError(
                    self.env._(
                        "The keys of %(channel)s would go to another address. Only an administrator may change it.",
                        channel=channel.name,
                    )
                )


def get_origin(url):
    """Return scheme and host of an address: to http instead of https is elsewhere, too."""
    parts = urlsplit(url.strip())
    return f"{parts.scheme}://{parts.netloc}".lower()
