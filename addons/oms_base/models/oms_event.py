import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..const import CLOSED_STAGES

# How long the history of closed orders is kept, unless the parameter oms_base.history_keep_days says otherwise.
KEEP_DAYS = 730
GC_BATCH = 10_000


class OmsEvent(models.Model):
    """What happened to an order, in order: the timeline a person reads and the source of stage times.

    Append-only: nobody has the right to write it; `sale.order._oms_log_event` is the only way in.
    """

    _name = "oms.event"
    _description = "Order Event"
    _order = "date desc, id desc"
    _rec_name = "code"
    _log_access = False  # append-only, with a date and a user of its own

    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    channel_id = fields.Many2one(related="order_id.channel_id", store=True, index="btree_not_null")
    code = fields.Selection(
        selection=[
            ("received", "Order received"),
            ("changed", "Order changed"),
            ("reviewed", "Reviewed"),
            ("held", "Put on hold"),
            ("approved", "Hold approved"),
            ("escalated", "Hold escalated"),
            ("released", "Hold released"),
            ("confirmed", "Confirmed"),
            ("merged", "Merged for shipping"),
            ("split", "Split for shipping"),
            ("unmerged", "Regrouping undone"),
            ("shipped", "Goods issued"),
            ("cancelled", "Cancelled"),
        ],
        string="Event",
        required=True,
        readonly=True,
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one("res.users", string="By", readonly=True, default=lambda self: self.env.user)
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document", model_field="res_model", readonly=True)
    message = fields.Char(string="Details", readonly=True)
    is_openable = fields.Boolean(compute="_compute_is_openable", help="The user may read documents of this kind.")
    data = fields.Json(readonly=True)

    _order_date_idx = models.Index("(order_id, date DESC, id DESC)")
    _code_date_idx = models.Index("(code, date)")

    @api.depends("res_model", "res_id")
    @api.depends_context("uid")
    def _compute_is_openable(self):
        for event in self:
            has_document = event.res_id and event.res_model in self.env
            event.is_openable = has_document and self.env[event.res_model].has_access("read")

    def _query_insert(self, vals_list):
        """Write events in one query, which costs a fraction of creating records: nothing is computed of an event, and
        each step of an order leaves one.

        :param vals_list: list of dicts by `sale.order._prepare_event_vals_list`
        :return: the events
        """
        if not vals_list:
            return self.browse()
        names = ("order_id", "company_id", "channel_id", "code", "date", "user_id", "res_model", "res_id", "message")
        code = self._fields["code"]
        rows = [
            SQL(
                "(%s, %s::jsonb)",
                SQL(", ").join(SQL("%s", vals.get(name) or None) for name in names),
                None if vals.get("data") is None else json.dumps(vals["data"]),
            )
            for vals in vals_list
            if code.convert_to_cache(vals["code"], self)  # refuses a code that nobody knows
        ]
        inserted = self.env.execute_query(
            SQL(
                "INSERT INTO oms_event (%s, data) VALUES %s RETURNING id",
                SQL(", ").join(SQL.identifier(name) for name in names),
                SQL(", ").join(rows),
            )
        )
        orders = self.env["sale.order"].browse({vals["order_id"] for vals in vals_list})
        orders.invalidate_recordset(["oms_event_ids"], flush=False)
        return self.browse(event_id for (event_id,) in inserted)

    @api.autovacuum
    def _gc_events(self):
        return self._forget_old(self)

    @api.model
    def _forget_old(self, rows):
        """Delete what a table that only grows (events, decisions, matches) says of closed orders of long ago.

        :param rows: recordset of the model
        :return: how many were deleted, and whether there are more
        """
        # sudo: ir.config_parameter - a setting; 0 keeps everything
        days = int(self.env["ir.config_parameter"].sudo().get_param("oms_base.history_keep_days", KEEP_DAYS))
        if days <= 0:
            return 0, False
        self.env.cr.execute(
            SQL(
                "DELETE FROM %(table)s WHERE id IN ("
                " SELECT row.id FROM %(table)s row JOIN sale_order o ON o.id = row.order_id"
                " WHERE row.date < %(limit)s AND (o.oms_stage IN %(closed)s OR o.oms_stage IS NULL)"
                " LIMIT %(batch)s)",
                table=SQL.identifier(rows._table),
                limit=fields.Datetime.now() - timedelta(days=days),
                closed=CLOSED_STAGES,
                batch=GC_BATCH,
            )
        )
        count = self.env.cr.rowcount
        if count:
            rows.invalidate_model(flush=False)
        return count, count == GC_BATCH

    def action_open_document(self):
        """Open the document the event is about."""
        self.ensure_one()
        if not self.res_model or not self.res_id:
            return False
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }
