from odoo import models
from odoo.tools import SQL


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _oms_lift_for_rehearsal(self):
        """Make these orders as if they had just arrived, so that rules can judge them anew.

        Only ever called in a transaction that is rolled back. To be extended by addons that take back what rules did to
        an order (e.g. its gifts); what a person would have to know of the past (tags, notes) stays as it is.
        """
        self._query_lift()
        self.env.invalidate_all()

    def _query_lift(self):
        """Undo in the database what hides an order from the review: its state, its holds, its transfers.

        In SQL, because the methods of these documents would do what the rehearsal must not: unreserve, notify, refuse.
        """
        ids = tuple(self.ids)
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "UPDATE sale_order SET state = 'draft', locked = FALSE, oms_stage = 'new', oms_stage_number = 10,"
                " oms_review_date = NULL, oms_pending_parts = NULL, oms_is_launch_pending = FALSE WHERE id IN %s",
                ids,
            )
        )
        self.env.cr.execute(SQL("UPDATE sale_order_line SET state = 'draft' WHERE order_id IN %s", ids))
        self.env.cr.execute(SQL("DELETE FROM oms_hold WHERE order_id IN %s", ids))
        self.env.cr.execute(
            SQL(
                "UPDATE stock_move SET sale_line_id = NULL"
                " WHERE sale_line_id IN (SELECT id FROM sale_order_line WHERE order_id IN %s)",
                ids,
            )
        )
        self.env.cr.execute(SQL("UPDATE stock_picking SET sale_id = NULL WHERE sale_id IN %s", ids))
