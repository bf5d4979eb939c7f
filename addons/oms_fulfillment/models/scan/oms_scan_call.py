from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL


class OmsScanCall(models.Model):
    """The answers already given, so that a device on a bad network may repeat a call without doing it twice."""

    _name = "oms.scan.call"
    _description = "Scanning Call"

    uuid = fields.Char(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", required=True, readonly=True, ondelete="cascade", default=lambda self: self.env.user
    )
    method = fields.Char(required=True, readonly=True)
    answer = fields.Json()

    _user_uuid_uniq = models.Constraint("UNIQUE(user_id, uuid)", "This scan has been answered already.")

    @api.model
    def _find_answer(self, uuid):
        """Return the answer given to the call ``uuid`` of the user, None for a new call."""
        return self.search([("user_id", "=", self.env.uid), ("uuid", "=", uuid)], limit=1).answer or None

    @api.model
    def _begin(self, uuid, method):
        """Note the call before it is worked.

        :raise ConcurrencyError: the same call is being worked by another request; the server repeats this one, which
            then finds the answer
        """
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO oms_scan_call (uuid, user_id, method, create_uid, create_date)
                     VALUES (%(uuid)s, %(user)s, %(method)s, %(user)s, NOW() AT TIME ZONE 'UTC')
                ON CONFLICT DO NOTHING
                  RETURNING id
                """,
                uuid=uuid,
                user=self.env.uid,
                method=method,
            ),
            log_exceptions=False,  # a twin that is not committed yet is no news: the server repeats this request
        )
        if not (row := self.env.cr.fetchone()):
            raise ConcurrencyError("The same scan is being worked on by another request.")
        return self.browse(row[0])

    @api.autovacuum
    def _gc_calls(self):
        """No device repeats a call after a day."""
        old = self.search([("create_date", "<", fields.Datetime.now() - timedelta(days=1))], limit=10000)
        old.unlink()
        return len(old), len(old) == 10000
