from odoo import api, fields, models
from odoo.tools import SQL

# What users expect to pass without a person, in percent.
TARGET_RATE = 95.0


class OmsReviewReport(models.Model):
    """One row an order: whether it passed by itself, else which queue it went to first. Orders count for the day they
    were placed. How long people had their hands on it is a matter of each hold, and counted there."""

    _name = "oms.review.report"
    _description = "Auto-pass Rate"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "order_id"

    order_id = fields.Many2one("sale.order", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    channel_id = fields.Many2one("oms.channel", readonly=True)
    date = fields.Datetime(string="Order Date", readonly=True)
    outcome = fields.Selection(
        [("pass", "No rule matched"), ("act", "Rules acted, nothing held"), ("hold", "Held")],
        string="First Review",
        readonly=True,
    )
    passed = fields.Integer(string="Passed by Itself", readonly=True, help="1 when no hold of a rule was put on it.")
    pass_rate = fields.Float(string="Auto-pass Rate (%)", readonly=True, aggregator="avg")
    target = fields.Float(string="Target (%)", readonly=True, aggregator="avg")
    type_id = fields.Many2one("oms.hold.type", string="Queue", readonly=True, help="Its first hold.")
    hold_count = fields.Integer(string="Holds", readonly=True)

    @property
    def _table_query(self):
        return self._query_report()

    @api.model
    def _query_report(self):
        """Return the query of the report. An order that was never judged is not in it.

        Only holds at the gates up to shipping that a rule put before the order was confirmed (or while it was not)
        count against it: what happens later is no longer the review's.
        """
        return SQL(
            """
            SELECT sale_order.id, sale_order.id AS order_id, sale_order.company_id, sale_order.channel_id,
                   sale_order.date_order AS date,
                   first_review.outcome,
                   CASE WHEN holds.rule_count > 0 THEN 0 ELSE 1 END AS passed,
                   CASE WHEN holds.rule_count > 0 THEN 0.0 ELSE 100.0 END AS pass_rate,
                   %(target)s AS target,
                   holds.type_id,
                   COALESCE(holds.hold_count, 0)::integer AS hold_count
              FROM sale_order
              JOIN LATERAL (
                    SELECT decision.outcome
                      FROM oms_decision AS decision
                     WHERE decision.order_id = sale_order.id AND decision.kind = 'review'
                     ORDER BY decision.id
                     LIMIT 1
                   ) AS first_review ON TRUE
         LEFT JOIN LATERAL (
                    SELECT COUNT(*) AS hold_count,
                           COUNT(*) FILTER (
                               WHERE EXISTS (
                                         SELECT FROM oms_hold_reason AS reason
                                          WHERE reason.hold_id = hold.id AND reason.rule_id IS NOT NULL
                                     )
                                 AND hold.gate != 'refund'
                                 AND (confirmed.date IS NULL OR hold.create_date <= confirmed.date)
                           ) AS rule_count,
                           (array_agg(hold.type_id ORDER BY hold.id))[1] AS type_id
                      FROM oms_hold AS hold
                 LEFT JOIN LATERAL (
                            SELECT MIN(event.date) AS date
                              FROM oms_event AS event
                             WHERE event.order_id = sale_order.id AND event.code = 'confirmed'
                           ) AS confirmed ON TRUE
                     WHERE hold.order_id = sale_order.id
                   ) AS holds ON TRUE
             WHERE sale_order.channel_id IS NOT NULL
            """,
            target=TARGET_RATE,
        )
