from odoo import api, fields, models

from ...adapters import get_adapter_class


class OmsShopPlatform(models.Model):
    """What a person is told who connects a shop of one kind: what it needs, and where that is found. Only words: what
    is asked for stands in the adapter."""

    _name = "oms.shop.platform"
    _description = "Kind of Shop"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True, readonly=True)
    code = fields.Char(required=True, readonly=True, help="The platform as channels name it.")
    sequence = fields.Integer(default=10)
    initials = fields.Char(readonly=True)
    color = fields.Char(readonly=True, help="Background of its initials, as in CSS.")
    description = fields.Text(translate=True, readonly=True, help="Shown where the kind of shop is chosen.")
    help_text = fields.Text(string="How to Connect", translate=True, readonly=True)
    address_placeholder = fields.Char(readonly=True)
    address_help = fields.Char(translate=True, readonly=True)
    key_ids = fields.One2many("oms.shop.platform.key", "platform_id", string="Keys and Settings", readonly=True)
    channel_count = fields.Integer(string="Connected", compute="_compute_channels")
    unfinished_id = fields.Many2one("oms.channel", string="Being Connected", compute="_compute_channels")

    _code_uniq = models.Constraint("UNIQUE(code)", "There is a kind of shop of this code already.")

    @api.depends_context("allowed_company_ids")
    def _compute_channels(self):
        channels = self.env["oms.channel"].search([("provider", "in", self.mapped("code"))], order="id desc")
        by_provider = channels.grouped("provider")
        for platform in self:
            mine = by_provider.get(platform.code, self.env["oms.channel"])
            unfinished = mine.filtered(lambda channel: channel.setup_step not in (False, "done"))
            platform.channel_count = len(mine - unfinished)
            platform.unfinished_id = unfinished[:1]

    def action_connect(self):
        """Begin with a new channel of this kind. It reads nothing of its shop before the last step."""
        self.ensure_one()
        adapter_class = get_adapter_class(self.code)
        action = self.env["oms.channel"]._get_setup_action()
        return {
            **action,
            "context": {
                "default_provider": self.code,
                "default_name": self.name,
                "default_code": self._get_free_code(),
                "default_base_url": adapter_class.default_url,
                "default_setup_step": "keys",
                # Nothing comes before the last step, and then from the day that is chosen there.
                "default_is_pulling": False,
                "default_pull_interval": adapter_class.pull_minutes,
                "default_is_numbering_continuous": adapter_class.numbers_in_sequence,
            },
        }

    def action_continue(self):
        """Go on where the connection of a channel was left."""
        self.ensure_one()
        return self.unfinished_id.action_open_setup()

    def _get_free_code(self):
        """Return a code for a channel that none of the company has."""
        Channel = self.env["oms.channel"].with_context(active_test=False)
        taken = set(
            Channel.search_fetch(
                [("company_id", "=", self.env.company.id), ("code", "=like", f"{self.code}%")], ["code"]
            ).mapped("code")
        )
        number = 1
        while (code := f"{self.code}{number}" if number > 1 else self.code) in taken:
            number += 1
        return code


class OmsShopPlatformKey(models.Model):
    """One key or setting of a kind of shop, in words. ``key`` is a name of the adapter's ``credential_keys`` or
    ``option_keys``."""

    _name = "oms.shop.platform.key"
    _description = "Key of a Kind of Shop"
    _order = "platform_id, sequence, id"

    platform_id = fields.Many2one("oms.shop.platform", required=True, index=True, ondelete="cascade", readonly=True)
    sequence = fields.Integer(default=10)
    key = fields.Char(required=True, readonly=True)
    name = fields.Char(required=True, translate=True, readonly=True)
    help_text = fields.Text(string="Where It Is Found", translate=True, readonly=True)
    is_secret = fields.Boolean(readonly=True)
    is_optional = fields.Boolean(readonly=True)

    _key_uniq = models.Constraint("UNIQUE(platform_id, key)", "The platform has this key already.")
