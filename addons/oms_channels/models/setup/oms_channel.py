from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...adapters import base

STEPS = [
    ("keys", "Shop and Keys"),
    ("webhooks", "Webhooks"),
    ("work", "Warehouses and Money"),
    ("products", "Products"),
    ("orders", "First Orders"),
    ("done", "Connected"),
]
# What adapters ask for -> the field it is entered in.
FIELDS = {
    "api_key": "api_key",
    "username": "api_key",
    "api_secret": "api_secret",
    "password": "api_secret",
    "api_token": "api_token",
    "session_token": "session_token",
    "session_refresh_token": "session_refresh_token",
    "refresh_token": "refresh_token",
    "seller_id": "amazon_seller_ref",
    "marketplace_ids": "amazon_marketplace_refs",
    "location_id": "location_ref",
    "sales_channel_id": "sales_channel_ref",
}
MISSING = "Missing permission"


class OmsChannel(models.Model):
    """Connecting a shop step by step. The step is kept on the channel, so who leaves goes on later."""

    _inherit = "oms.channel"

    setup_step = fields.Selection(
        STEPS, string="Set-up", copy=False, help="How far the connection of the shop is. Empty: it was not guided."
    )
    setup_report = fields.Text(string="What the Shop Said", readonly=True, copy=False)
    setup_warning = fields.Text(string="What the Keys May Not Do", readonly=True, copy=False)
    setup_texts = fields.Json(compute="_compute_setup_texts", help="{field: its words on this platform}")
    setup_help = fields.Text(string="How to Connect", compute="_compute_setup_texts")
    can_list = fields.Boolean(compute="_compute_setup_texts")
    can_publish = fields.Boolean(compute="_compute_setup_texts")
    listing_matched_count = fields.Integer(string="Matched Listings", compute="_compute_queue_counts")
    pricelist_id = fields.Many2one(
        "product.pricelist",
        check_company=True,
        help="Of the orders in its currency. Prices are those of the shop: it names the currency, and is what people "
        "who add lines by hand get. Empty: the first one of the currency.",
    )

    # === COMPUTE METHODS === #

    @api.depends("provider")
    def _compute_setup_texts(self):
        platforms = self.env["oms.shop.platform"].search([("code", "in", self.mapped("provider"))]).grouped("code")
        for channel in self:
            platform = platforms.get(channel.provider, self.env["oms.shop.platform"])
            texts = {
                FIELDS[key.key]: {
                    "label": key.name,
                    "help": key.help_text or "",
                    "secret": key.is_secret,
                    "required": not key.is_optional,
                }
                for key in platform.key_ids
                if key.key in FIELDS
            }
            texts["base_url"] = {
                "label": self.env._("Shop Address"),
                "help": platform.address_help or "",
                "placeholder": platform.address_placeholder or "",
                "required": True,
            }
            capabilities = channel._get_capabilities()
            channel.setup_texts = texts
            channel.setup_help = platform.help_text
            channel.can_list = base.LISTINGS in capabilities
            channel.can_publish = base.STOCK in capabilities

    def _compute_queue_counts(self):
        """Override: how many products of the shop are matched."""
        res = super()._compute_queue_counts()
        for channel in self:
            channel.listing_matched_count = channel.listing_count - channel.listing_unmatched_count
        return res

    # === ACTION METHODS === #

    @api.model
    def _get_setup_action(self):
        """Return the action that opens the guided set-up."""
        view = self.env.ref("oms_channels.oms_channel_view_form_setup")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Connect a Shop"),
            "res_model": "oms.channel",
            "views": [(view.id, "form")],
            "target": "current",
        }

    def action_open_setup(self):
        """Open the guided set-up where it was left."""
        self.ensure_one()
        self.setup_step = self.setup_step or "keys"
        return {**self._get_setup_action(), "res_id": self.id}

    def action_setup_back(self):
        """One step back; what was entered stays."""
        for channel in self:
            index = self._get_setup_index(channel.setup_step)
            channel.setup_step = STEPS[max(index - 1, 0)][0]
        return True

    def action_setup_next(self):
        """Finish the step and go on to the next one; the last one opens the channel."""
        self.ensure_one()
        step = self.setup_step or "keys"
        if step == "keys":
            self._finish_setup_keys()
        elif step == "orders":
            self._finish_setup_orders()
        self.setup_step = STEPS[min(self._get_setup_index(step) + 1, len(STEPS) - 1)][0]
        if self.setup_step != "done":
            return True
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_channel_action")
        return {**action, "views": [(False, "form")], "res_id": self.id, "target": "main"}

    @api.model
    def _get_setup_index(self, step):
        return [key for key, _label in STEPS].index(step or "keys")

    def action_reload_setup(self):
        """Show how far the background work is."""
        return {"type": "ir.actions.client", "tag": "soft_reload"}

    def action_view_unmatched(self):
        """Open the products of the shop that are nothing here yet."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_channels.oms_channel_listing_action")
        domain = Domain("channel_id", "=", self.id) & Domain("state", "=", "unmatched")
        return {**action, "domain": list(domain), "context": {}}

    def _get_health_issues(self):
        """Override of `oms_base`: nothing comes from a shop whose set-up was left half-way."""
        issues = super()._get_health_issues()
        names = dict(self._fields["setup_step"]._description_selection(self.env))
        for channel in self.filtered(lambda channel: channel.setup_step not in (False, "done")):
            message = self.env._("The set-up is not finished: %(step)s.", step=names[channel.setup_step])
            issues.setdefault(channel, []).append(("warning", message))
        return issues

    # === STEPS === #

    def _finish_setup_keys(self):
        """See that nothing is left out, then ask the shop who it is and what the keys may do."""
        channel_sudo = self.sudo()  # sudo: oms.channel - only whether a key is there is looked at
        missing = [
            text["label"] for field, text in self.setup_texts.items() if text["required"] and not channel_sudo[field]
        ]
        if missing:
            raise UserError(self.env._("Still missing: %(keys)s", keys=", ".join(missing)))
        details = self._test_connection()
        self.setup_report = details["text"]
        self.setup_warning = "\n".join(value for label, value in details["details"] if label.startswith(MISSING))

    def _finish_setup_orders(self):
        """Begin: orders are pulled from the day that was chosen, and counted from then on."""
        now = fields.Datetime.now()
        self.write(
            {
                "is_pulling": True,
                "pull_start_date": self.pull_start_date or now,
                "pull_checkpoint": False,
                "pull_state": False,
                "next_pull_date": now,
                "next_stock_date": now,
                "rest_until": False,
            }
        )
        self._wake_pull()
