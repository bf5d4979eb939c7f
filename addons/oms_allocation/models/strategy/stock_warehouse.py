from datetime import datetime, time

import pytz

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.base.models.res_partner import _tz_get


class StockWarehouse(models.Model):
    """What it costs to send an order from a warehouse, until when of a day, and how many a day."""

    _inherit = "stock.warehouse"
    _oms_cached_fields = frozenset(("oms_zone_ids",))  # see `oms.zone._get_terms`

    oms_zone_ids = fields.Many2many("oms.zone", string="Serves Zones")
    oms_currency_id = fields.Many2one(related="company_id.currency_id", string="Currency of Costs")
    oms_order_cost = fields.Monetary(string="Cost of an Order", currency_field="oms_currency_id")
    oms_line_cost = fields.Monetary(string="Cost of a Line", currency_field="oms_currency_id")
    oms_parcel_cost = fields.Monetary(
        string="Packaging of a Parcel", currency_field="oms_currency_id", help="Box, filling, label."
    )
    oms_daily_capacity = fields.Integer(string="Parcels a Day", help="0: as many as come.")
    oms_capacity_ids = fields.One2many("oms.warehouse.capacity", "warehouse_id", string="Other Days")
    oms_capacity_today = fields.Integer(string="Parcels Today", compute="_compute_oms_capacity", help="0: no limit.")
    oms_capacity_left = fields.Integer(string="Left Today", compute="_compute_oms_capacity")
    oms_capacity_percent = fields.Float(string="Given Away (%)", compute="_compute_oms_capacity")
    oms_cutoff_hour = fields.Float(
        string="Leaves Today Until",
        help="Orders that are sourced before this time leave the same day. 0: no such time.",
    )
    oms_tz = fields.Selection(
        _tz_get, string="Time Zone", default=lambda self: self.env.user.tz or "UTC", help="Where its clock stands."
    )

    @api.depends("oms_daily_capacity", "oms_capacity_ids")
    def _compute_oms_capacity(self):
        capacities = self._oms_get_capacities(fields.Datetime.now())
        for warehouse in self:
            today, left = capacities.get(warehouse, (0, 0))
            warehouse.oms_capacity_today = today
            warehouse.oms_capacity_left = left
            warehouse.oms_capacity_percent = 100 * (today - left) / today if today else 0.0

    def _oms_get_local_time(self, now):
        """Return ``now`` (naive UTC) on the clock of one warehouse."""
        self.ensure_one()
        return pytz.utc.localize(now).astimezone(pytz.timezone(self.oms_tz or "UTC"))

    def _oms_get_midnight(self, now):
        """Return when the day of one warehouse began, as naive UTC."""
        self.ensure_one()
        zone = pytz.timezone(self.oms_tz or "UTC")
        midnight = zone.localize(datetime.combine(self._oms_get_local_time(now).date(), time()))
        return midnight.astimezone(pytz.utc).replace(tzinfo=None)

    def _oms_leaves_today(self, now):
        """Whether what is sourced now from one warehouse leaves it today."""
        self.ensure_one()
        local = self._oms_get_local_time(now)
        return not self.oms_cutoff_hour or local.hour + local.minute / 60 < self.oms_cutoff_hour

    def _oms_get_limits(self, now):
        """Return {warehouse: parcels that can be made today} of those of these that have a limit."""
        limits = {}
        for warehouse in self:
            today = warehouse._oms_get_local_time(now).date()
            other = warehouse.oms_capacity_ids.filtered(lambda row, day=today: row.date_from <= day <= row.date_to)
            if other or warehouse.oms_daily_capacity:
                limits[warehouse] = other[:1].parcels if other else warehouse.oms_daily_capacity
        return limits

    def _oms_get_capacities(self, now, without=None):
        """Return {warehouse: (parcels that can be made today, of which are left)} of those that have a limit.

        :param without: allocations that are not counted
        """
        limits = self._oms_get_limits(now)
        if not limits:
            return {}
        used = self.union(*limits)._oms_query_used(now, without)
        return {warehouse: (limit, max(0, limit - used.get(warehouse.id, 0))) for warehouse, limit in limits.items()}

    def _oms_query_used(self, now, without=None):
        """Return {warehouse id: orders that were given to it since its day began}; what only waits there for goods is
        no parcel of the day."""
        begins = [SQL("(%s, %s)", warehouse.id, warehouse._oms_get_midnight(now)) for warehouse in self]
        self.env["oms.allocation"].flush_model(
            ["warehouse_id", "order_id", "state", "given_date", "quantity", "shortage_quantity"]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT allocation.warehouse_id, COUNT(DISTINCT allocation.order_id)
                  FROM oms_allocation allocation
                  JOIN (VALUES %s) AS day (warehouse_id, begins) ON day.warehouse_id = allocation.warehouse_id
                 WHERE COALESCE(allocation.given_date, allocation.create_date) >= day.begins
                   AND allocation.state <> 'cancelled' AND allocation.id <> ALL(%s)
                   AND allocation.quantity > COALESCE(allocation.shortage_quantity, 0)
                 GROUP BY allocation.warehouse_id
                """,
                SQL(", ").join(begins),
                without.ids if without else [],
            )
        )
        return dict(rows)
