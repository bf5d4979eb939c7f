from odoo import api, fields, models


class OmsApiBucket(models.Model):
    """Token bucket of an API key."""

    _name = "oms.api.bucket"
    _description = "API Rate Limit"
    _inherit = "oms.bucket.mixin"
    _log_access = False
    _bucket_owner = "key_id"

    key_id = fields.Many2one("oms.api.key", required=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="key_id.company_id")

    _slot_uniq = models.UniqueIndex("(key_id, slot)", "The slot exists already.")

    @api.model
    def _take(self, key):
        """Take a token for one call of a key, and note that the key is in use. :return: see `_take_token`"""
        return self._take_token(key, key.rate_limit, lambda env: key.with_env(env)._mark_used())
