import hashlib
import hmac
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.oms_base.tools import notification

# The part of a key by which it is found; the rest is the secret.
PREFIX_BYTES = 6
# "Last used" is for people: to the minute is enough, and spares a write a call.
LAST_USED_STEP = timedelta(minutes=1)


class OmsApiKey(models.Model):
    """A key by which a partner's program works for one channel. The secret is shown once and kept as its hash.

    The secret has 256 random bits, so a plain SHA-256 can't be turned round by guessing.
    """

    _name = "oms.api.key"
    _description = "API Key"
    _order = "channel_id, id"

    name = fields.Char(required=True, help="Who uses it, for example Mini program.")
    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    can_write_orders = fields.Boolean(string="Send Orders", default=True)
    can_read_orders = fields.Boolean(string="Read Orders", default=True)
    can_read_stock = fields.Boolean(string="Read Stock", default=True)
    can_cancel = fields.Boolean(string="Cancel Orders")
    rate_limit = fields.Integer(string="Calls per Minute", default=120, required=True)
    expiry_date = fields.Datetime(string="Expires On")
    revoked_date = fields.Datetime(string="Revoked On", readonly=True, copy=False)
    last_used_date = fields.Datetime(string="Last Used", readonly=True, copy=False)
    prefix = fields.Char(string="Begins With", readonly=True, copy=False, help="By this part the key is recognised.")
    secret_hash = fields.Char(readonly=True, copy=False, groups="base.group_system")
    state = fields.Selection(
        [("new", "No Secret Yet"), ("active", "Active"), ("expired", "Expired"), ("revoked", "Revoked")],
        compute="_compute_state",
    )

    _prefix_uniq = models.UniqueIndex("(prefix) WHERE prefix IS NOT NULL", "This key exists already.")
    _check_rate_limit = models.Constraint(
        "CHECK(rate_limit > 0 AND rate_limit <= 60000)", "Calls per minute must be between 1 and 60,000."
    )

    # === COMPUTE METHODS === #

    @api.depends("prefix", "expiry_date", "revoked_date")
    def _compute_state(self):
        now = fields.Datetime.now()
        for key in self:
            if key.revoked_date:
                key.state = "revoked"
            elif key.expiry_date and key.expiry_date <= now:
                key.state = "expired"
            else:
                key.state = "active" if key.prefix else "new"

    # === ACTION METHODS === #

    def action_generate_secret(self):
        """Make a new secret and show it, this once. The one before does not work any more."""
        self.ensure_one()
        if self.revoked_date:
            raise UserError(self.env._("%(key)s is revoked. Make another key.", key=self.name))
        token = self._generate_secret()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("API Key of %(name)s", name=self.name),
            "res_model": "oms.api.key.show",
            "views": [(False, "form")],
            "target": "new",
            # In the context, as nowhere else: it must not be in the database.
            "context": {"default_token": token},
        }

    def action_revoke(self):
        """End these keys for good."""
        self.filtered(lambda key: not key.revoked_date).revoked_date = fields.Datetime.now()
        return notification(self.env._("The key does not work any more."))

    # === BUSINESS METHODS === #

    def _generate_secret(self):
        """Give the key a new secret. :return: the token, which can't be read again"""
        self.ensure_one()
        prefix = f"oms_{secrets.token_hex(PREFIX_BYTES)}"
        token = f"{prefix}_{secrets.token_urlsafe(32)}"
        self.write({"prefix": prefix, "secret_hash": self._get_hash(token)})
        return token

    @api.model
    def _get_hash(self, token):
        return hashlib.sha256(token.encode()).hexdigest()

    @api.model
    def _find_by_token(self, token):
        """Return the key of a token, none when it is wrong or does not work any more."""
        prefix = "_".join(token.split("_")[:2])
        # sudo: oms.api.key - the caller is nobody until the token is found right
        key_sudo = self.sudo().search([("prefix", "=", prefix)], limit=1)
        # Compared even where nothing was found: the time it takes tells nothing.
        is_right = hmac.compare_digest(key_sudo.secret_hash or "", self._get_hash(token))
        if not is_right or key_sudo.state != "active" or not key_sudo.channel_id.active:
            return self.browse()
        return key_sudo

    def _get_scopes(self):
        """Return the scopes of this key."""
        self.ensure_one()
        scopes = {
            "orders:write": self.can_write_orders,
            "orders:read": self.can_read_orders,
            "stock:read": self.can_read_stock,
            "cancel": self.can_cancel,
        }
        return [scope for scope, is_given in scopes.items() if is_given]

    def _mark_used(self):
        """Note that the key is in use, at most once a minute; who meets the row locked leaves it to the other."""
        self.ensure_one()
        if self.last_used_date and self.last_used_date > fields.Datetime.now() - LAST_USED_STEP:
            return
        self.env.cr.execute(
            SQL(
                "UPDATE oms_api_key SET last_used_date = %s WHERE id IN"
                " (SELECT id FROM oms_api_key WHERE id = %s FOR UPDATE SKIP LOCKED)",
                fields.Datetime.now(),
                self.id,
            )
        )


class OmsApiKeyShow(models.AbstractModel):
    """Shows a new key. It has no table, so the key is nowhere but on the screen."""

    _name = "oms.api.key.show"
    _description = "Show a New API Key"

    # The form's onchange asks for it.
    id = fields.Id()
    token = fields.Char(string="API Key", readonly=True)


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    # groups: keys open the channel's orders; only administrators see, make or end them
    api_key_ids = fields.One2many("oms.api.key", "channel_id", string="API Keys", groups="base.group_system")

    def action_open_api_page(self):
        """Open the API's page for developers."""
        return {"type": "ir.actions.act_url", "url": "/oms/api/v1", "target": "new"}
