import math

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.tools import SQL

# The tokens lie in this many rows at the most, so that calls at the same time seldom want the same one.
SLOTS = 4
# A row for fewer calls a minute than this would fill too slowly to give a token when one is due.
SLOT_SIZE = 30
TRIES = 5


class OmsBucketMixin(models.AbstractModel):
    """Token bucket of an owner, shared by all workers: a call takes a token from any row that nobody holds.

    The rows together hold a minute's calls and fill up steadily. Taking one is a transaction of its own, over before
    the call's work begins: a slow call holds nothing.
    """

    _name = "oms.bucket.mixin"
    _description = "Token Bucket"

    # To be set by the model: the many2one to who may make the calls.
    _bucket_owner = ""

    slot = fields.Integer(required=True, readonly=True)
    tokens = fields.Float(digits=False, readonly=True)
    filled_date = fields.Datetime(readonly=True)

    @api.model
    def _take_token(self, owner, limit, after=None):
        """Take a token for one call of the owner, in a transaction of its own.

        :param limit: calls a minute
        :param after: callable(environment of that transaction), called before it ends
        :return: (whether there was one, tokens left, seconds until there is one, seconds until all are there)
        """
        for _try in range(TRIES):
            try:
                with self.env.registry.cursor() as cr:
                    bucket = self.with_env(self.env(cr=cr))
                    result = bucket._take_once(owner.id, limit)
                    if after:
                        after(bucket.env)
                    return result
            except SerializationFailure:
                continue
        # Calls keep overtaking this one: that is no reason to refuse it.
        return True, 0, 0, 60

    def _take_once(self, owner_id, limit):
        slots = min(SLOTS, max(limit // SLOT_SIZE, 1))
        size, speed = limit / slots, limit / slots / 60
        level = SQL(
            "LEAST(%s, tokens + %s * GREATEST("
            "EXTRACT(EPOCH FROM clock_timestamp() AT TIME ZONE 'UTC' - filled_date), 0))",
            size,
            speed,
        )
        table, owner = SQL.identifier(self._table), SQL.identifier(self._bucket_owner)
        self._fill_slots(owner_id, slots, size)
        taken = self.env.execute_query(
            SQL(
                """
                UPDATE %(table)s SET tokens = %(level)s - 1, filled_date = clock_timestamp() AT TIME ZONE 'UTC'
                 WHERE id = (SELECT id FROM %(table)s
                              WHERE %(owner)s = %(owner_id)s AND slot < %(slots)s AND %(level)s >= 1
                              ORDER BY random() LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING tokens
                """,
                table=table,
                owner=owner,
                level=level,
                owner_id=owner_id,
                slots=slots,
            )
        )
        levels = [
            float(row[0])
            for row in self.env.execute_query(
                SQL("SELECT %s FROM %s WHERE %s = %s AND slot < %s", level, table, owner, owner_id, slots)
            )
        ]
        left = sum(math.floor(value) for value in levels)
        full_in = math.ceil((limit - sum(levels)) * 60 / limit)
        # A token that another call holds at this moment may be taken: better one too many than one refused in error.
        wait = 0 if taken or left else max(math.ceil((1 - max(levels)) / speed), 1)
        return bool(taken or left), left, wait, max(full_in, 0)

    def _fill_slots(self, owner_id, slots, size):
        """Make the rows of an owner that has none yet."""
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s (%(owner)s, slot, tokens, filled_date)
                SELECT %(owner_id)s, slot, %(size)s, clock_timestamp() AT TIME ZONE 'UTC'
                  FROM generate_series(0, %(slots)s - 1) slot
                 WHERE (SELECT count(*) FROM %(table)s WHERE %(owner)s = %(owner_id)s) < %(slots)s
                    ON CONFLICT DO NOTHING
                """,
                table=SQL.identifier(self._table),
                owner=SQL.identifier(self._bucket_owner),
                owner_id=owner_id,
                slots=slots,
                size=size,
            )
        )
