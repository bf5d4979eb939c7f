import math

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.tools import SQL

# A key's tokens lie in this many rows at the most, so that calls at the same time seldom want the same one.
SLOTS = 4
# A row for fewer calls a minute than this would fill too slowly to give a token when one is due.
SLOT_SIZE = 30
TRIES = 5


class OmsApiBucket(models.Model):
    """Token bucket of an API key, shared by all workers: a call takes a token from any row that nobody holds.

    The rows together hold a minute's calls and fill up steadily. Taking one is a transaction of its own, over before
    the call's work begins: a slow call holds nothing.
    """

    _name = "oms.api.bucket"
    _description = "API Rate Limit"
    _log_access = False

    key_id = fields.Many2one("oms.api.key", required=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="key_id.company_id")
    slot = fields.Integer(required=True, readonly=True)
    tokens = fields.Float(digits=False, readonly=True)
    filled_date = fields.Datetime(readonly=True)

    _slot_uniq = models.UniqueIndex("(key_id, slot)", "The slot exists already.")

    @api.model
    def _take(self, key):
        """Take a token for one call of a key, in a transaction of its own.

        :return: (whether there was one, tokens left, seconds until there is one, seconds until all are there)
        """
        for _try in range(TRIES):
            try:
                with self.env.registry.cursor() as cr:
                    key_alone = key.with_env(self.env(cr=cr))
                    result = self.with_env(key_alone.env)._take_once(key_alone)
                    key_alone._mark_used()
                    return result
            except SerializationFailure:
                continue
        # Calls keep overtaking this one: that is no reason to refuse it.
        return True, 0, 0, 60

    def _take_once(self, key):
        limit = key.rate_limit
        slots = min(SLOTS, max(limit // SLOT_SIZE, 1))
        size, speed = limit / slots, limit / slots / 60
        level = SQL(
            "LEAST(%s, tokens + %s * GREATEST("
            "EXTRACT(EPOCH FROM clock_timestamp() AT TIME ZONE 'UTC' - filled_date), 0))",
            size,
            speed,
        )
        self._fill_slots(key, slots, size)
        taken = self.env.execute_query(
            SQL(
                """
                UPDATE oms_api_bucket SET tokens = %(level)s - 1, filled_date = clock_timestamp() AT TIME ZONE 'UTC'
                 WHERE id = (SELECT id FROM oms_api_bucket
                              WHERE key_id = %(key)s AND slot < %(slots)s AND %(level)s >= 1
                              ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING tokens
                """,
                level=level,
                key=key.id,
                slots=slots,
            )
        )
        levels = [
            float(row[0])
            for row in self.env.execute_query(
                SQL("SELECT %s FROM oms_api_bucket WHERE key_id = %s AND slot < %s", level, key.id, slots)
            )
        ]
        left = sum(math.floor(value) for value in levels)
        full_in = math.ceil((limit - sum(levels)) * 60 / limit)
        # A token that another call holds at this moment may be taken: better one too many than one refused in error.
        wait = 0 if taken or left else max(math.ceil((1 - max(levels)) / speed), 1)
        return bool(taken or left), left, wait, max(full_in, 0)

    def _fill_slots(self, key, slots, size):
        """Make the rows of a key that has none yet."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO oms_api_bucket (key_id, slot, tokens, filled_date)
                SELECT %(key)s, slot, %(size)s, clock_timestamp() AT TIME ZONE 'UTC'
                  FROM generate_series(0, %(slots)s - 1) slot
                 WHERE (SELECT count(*) FROM oms_api_bucket WHERE key_id = %(key)s) < %(slots)s
                    ON CONFLICT DO NOTHING
                """,
                key=key.id,
                slots=slots,
                size=size,
            )
        )
