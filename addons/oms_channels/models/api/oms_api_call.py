import hashlib
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from ...openapi.problems import ApiProblem

KEEP_DAYS = 7


class OmsApiCall(models.Model):
    """A call with an Idempotency-Key and its answer: the same call again is answered, not done again."""

    _name = "oms.api.call"
    _description = "API Call"
    _order = "id desc"
    _rec_name = "idempotency_key"

    key_id = fields.Many2one("oms.api.key", string="API Key", required=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="key_id.company_id", store=True, index=True)
    idempotency_key = fields.Char(required=True, readonly=True)
    digest = fields.Char(required=True, readonly=True, help="Of method, path and body.")
    status = fields.Integer(readonly=True)
    # groups: it may repeat what was sent
    answer = fields.Json(readonly=True, groups="base.group_system")

    _key_uniq = models.UniqueIndex("(key_id, idempotency_key)", "This call is known already.")
    _create_date_idx = models.Index("(create_date)")

    @api.model
    def _begin(self, key, idempotency_key, request_line, body):
        """Claim an Idempotency-Key, or find what it was answered. Who comes second waits for the first to commit.

        :param body: bytes
        :return: the call; it has a ``status`` when it was answered before
        :raise ApiProblem: the key was used for something else
        :raise ConcurrencyError: another call with this key was at it: to be tried again
        """
        digest = hashlib.sha256(request_line.encode() + b"\n" + body).hexdigest()
        call = self.search([("key_id", "=", key.id), ("idempotency_key", "=", idempotency_key)], limit=1)
        if call:
            if call.digest != digest:
                raise ApiProblem(409, "idempotency_conflict")
            return call
        try:
            with self.env.cr.savepoint():
                return self.create({"key_id": key.id, "idempotency_key": idempotency_key, "digest": digest})
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError("Another call with the same Idempotency-Key was faster.") from error

    @api.autovacuum
    def _gc_calls(self):
        """Forget answers after a week."""
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        calls = self.search([("create_date", "<", limit)], limit=10000)
        calls.unlink()
        return len(calls), len(calls) == 10000
