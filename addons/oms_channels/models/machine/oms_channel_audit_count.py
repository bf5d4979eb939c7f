import re
from collections import defaultdict
from itertools import pairwise

from odoo import api, models
from odoo.tools import SQL

# What of an order's messages says most about it, when there is no order.
RANKS = {"order": 0, "pending": 1, "failed": 2, "left": 3}
# A gap in the numbers longer than this is no gap: the shop counts otherwise.
MAX_GAP = 200
# What shops put around their numbers stays the same: "#1001", "DE-1001".
NUMBER = re.compile(r"(?P<before>\D*)(?P<number>\d{1,15})(?P<after>\D*)")


class OmsChannel(models.Model):
    """The gap check: what is here, counted in the database, whatever the shop says."""

    _inherit = "oms.channel"

    def _find_held_states(self, external_ids):
        """Return {external id: what is here of it}: "order"; else its messages: "pending", "failed", or "left" out, as
        it was skipped, cancelled before it came, or deleted here since. Those of which there is nothing are not in it.
        """
        if not external_ids:
            return {}
        self.env["sale.order"].flush_model(["channel_id", "channel_order_id"])
        self.env["oms.channel.message"].flush_model(["channel_id", "external_id", "state"])
        rows = self.env.execute_query(
            SQL(
                "SELECT channel_order_id, 'order' FROM sale_order WHERE channel_id = %(channel)s"
                " AND channel_order_id = ANY(%(ids)s)"
                " UNION SELECT external_id, CASE WHEN state IN ('pending', 'failed') THEN state ELSE 'left' END"
                " FROM oms_channel_message WHERE channel_id = %(channel)s AND external_id = ANY(%(ids)s)",
                channel=self.id,
                ids=external_ids,
            )
        )
        held = {}
        for external_id, state in rows:
            held[external_id] = min(held.get(external_id, state), state, key=RANKS.get)
        return held

    def _count_extra_orders(self, since, until, listed_ids):
        """Return [(hour, orders here that were placed in it and that the shop does not list)]. What came by the API or
        from a file is none of the shop's.

        :param listed_ids: ids of all orders that the shop lists
        """
        self.env["sale.order"].flush_model(["channel_id", "channel_order_id", "channel_is_direct", "date_order"])
        return self.env.execute_query(
            SQL(
                "SELECT date_trunc('hour', o.date_order), count(*) FROM sale_order o"
                " LEFT JOIN unnest(%(ids)s::text[]) AS listed(id) ON listed.id = o.channel_order_id"
                " WHERE o.channel_id = %(channel)s AND o.channel_order_id IS NOT NULL AND listed.id IS NULL"
                " AND o.date_order >= %(since)s AND o.date_order <= %(until)s"
                " AND o.channel_is_direct IS NOT TRUE GROUP BY 1",
                channel=self.id,
                ids=listed_ids,
                since=since,
                until=until,
            )
        )

    def _count_unfinished_orders(self):
        """Return {(channel id, "pending" or "failed"): orders in the inbox that are not here yet}, as of now."""
        if not self.ids:
            return {}
        rows = self.env.execute_query(
            SQL(
                "SELECT message.channel_id, message.state, count(DISTINCT message.external_id)"
                " FROM oms_channel_message message"
                " WHERE message.channel_id = ANY(%s) AND message.state IN ('pending', 'failed') AND %s"
                " GROUP BY message.channel_id, message.state",
                self.ids,
                self.env["oms.channel.message"]._get_new_order_sql(),
            )
        )
        return {(channel_id, state): count for channel_id, state, count in rows}

    def _find_number_gaps(self, hours):
        """Return {hour: [numbers]} that the shop's list leaves out and that are not here either; each belongs to the
        hour of the next number."""
        series = defaultdict(dict)
        for hour, row in hours.items():
            for match in filter(None, map(NUMBER.fullmatch, row["numbers"])):
                series[match["before"], match["after"]][int(match["number"])] = hour
        gaps = {}  # {number as the shop writes it: (number, hour)}
        for (before, after), numbers in series.items():
            for one, following in pairwise(sorted(numbers)):
                if 1 < following - one <= MAX_GAP:
                    for number in range(one + 1, following):
                        gaps[f"{before}{number}{after}"] = (number, numbers[following])
        here = self.env["sale.order"].search_fetch(
            [("channel_id", "=", self.id), ("channel_order_ref", "in", list(gaps))], ["channel_order_ref"]
        )
        found = set(here.mapped("channel_order_ref"))
        by_hour = defaultdict(list)
        for written, (number, hour) in gaps.items():
            if written not in found:
                by_hour[hour].append(number)
        return by_hour

    @api.model
    def _join_numbers(self, numbers):
        """Return "7, 10-12" of numbers in order."""
        parts = []
        for one in sorted(numbers):
            if parts and parts[-1][1] == one - 1:
                parts[-1][1] = one
            else:
                parts.append([one, one])
        return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in parts)
