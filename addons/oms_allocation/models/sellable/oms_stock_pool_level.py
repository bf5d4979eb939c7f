from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

KEPT_DAYS = 400


class OmsStockPoolLevel(models.Model):
    """How full a pool was at a time, and what was taken from it and came in again since the time before.

    A pool is counted whenever it is looked at, and remembers nothing; this is what is remembered of it. Noted every
    hour, where anything changed.
    """

    _name = "oms.stock.pool.level"
    _description = "History of a Stock Pool"
    _order = "date desc, id desc"
    _rec_name = "pool_id"
    _log_access = False

    pool_id = fields.Many2one("oms.stock.pool", required=True, readonly=True, index=True, ondelete="cascade")
    line_id = fields.Many2one(
        "oms.stock.pool.line", string="Goods", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one(related="pool_id.company_id", store=True, precompute=True, index=True)
    date = fields.Datetime(required=True, readonly=True)
    wanted_quantity = fields.Float(string="Wanted", digits="Product Unit", readonly=True, aggregator="avg")
    held_quantity = fields.Float(string="Held", digits="Product Unit", readonly=True, aggregator="avg")
    consumed_quantity = fields.Float(
        string="Taken by Owners",
        digits="Product Unit",
        readonly=True,
        help="Allocated or promised to owners since the time before. Below 0: given back.",
    )
    refilled_quantity = fields.Float(
        string="Came In",
        digits="Product Unit",
        readonly=True,
        help="What it holds again, or more, since the time before. Below 0: others borrowed it, or less is there.",
    )
    taken_quantity = fields.Float(string="Taken in All", digits="Product Unit", readonly=True, aggregator="max")

    _line_idx = models.Index("(line_id, date DESC)")

    @api.model
    def _cron_note_levels(self):
        """Note how full the pools are, as far as anything changed since it was noted last."""
        # sudo: oms.stock.pool - the history of a pool does not depend on who looks
        lines = self.env["oms.stock.pool"].sudo().search([("is_live", "=", True)]).line_ids
        known = self._query_last(lines)
        now = fields.Datetime.now()
        vals_list = []
        for line in lines:
            numbers = (line.wanted_quantity, line.held_quantity, line.taken_quantity)
            _wanted, held, taken = last = known.get(line.id, (0.0, 0.0, 0.0))
            if numbers == last:
                continue
            consumed = line.taken_quantity - taken
            vals_list.append(
                {
                    "pool_id": line.pool_id.id,
                    "line_id": line.id,
                    "date": now,
                    "wanted_quantity": line.wanted_quantity,
                    "held_quantity": line.held_quantity,
                    "taken_quantity": line.taken_quantity,
                    "consumed_quantity": consumed,
                    "refilled_quantity": line.held_quantity - held + consumed,
                }
            )
        self.sudo().create(vals_list)  # sudo: oms.stock.pool.level - nobody writes it by hand

    @api.model
    def _query_last(self, lines):
        """Return {line id: (wanted, held, taken)} as it was noted last."""
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (line_id) line_id, wanted_quantity::float8, held_quantity::float8,
                          taken_quantity::float8
                     FROM oms_stock_pool_level
                    WHERE line_id = ANY(%s)
                    ORDER BY line_id, date DESC, id DESC""",
                lines.ids,
            )
        )
        return {line_id: tuple(numbers) for line_id, *numbers in rows}

    @api.autovacuum
    def _gc_levels(self):
        """Forget what was long ago."""
        self.search([("date", "<", fields.Datetime.now() - timedelta(days=KEPT_DAYS))], limit=10000).unlink()


class OmsStockPool(models.Model):
    _inherit = "oms.stock.pool"

    def action_view_levels(self):
        """Open how full these pools were over time."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_stock_pool_level_action")
        return {**action, "domain": [("pool_id", "in", self.ids)], "context": {}}
