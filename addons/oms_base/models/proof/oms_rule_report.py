from odoo import api, fields, models
from odoo.tools import SQL


class OmsRuleReport(models.Model):
    """How each rule fares, by channel and hour (to be grouped by day in the time zone of who looks): how many orders it
    fired on, and what people made of its holds. An order counts once for a rule, when the rule first matched it."""

    _name = "oms.rule.report"
    _description = "Rule Feedback"
    _auto = False
    _order = "date desc, rule_id"
    _rec_name = "rule_id"

    rule_id = fields.Many2one("oms.rule", readonly=True)
    set_id = fields.Many2one("oms.rule.set", string="Rule Set", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    channel_id = fields.Many2one("oms.channel", readonly=True)
    date = fields.Datetime(readonly=True, help="The hour of it; group by day, week or month.")
    fired = fields.Integer(readonly=True, help="Orders that matched.")
    held = fields.Integer(readonly=True, help="Holds that were put.")
    false_alarms = fields.Integer(readonly=True, help="Holds that a person released without changing anything.")
    acted = fields.Integer(
        string="Acted On", readonly=True, help="Holds after which the order was corrected or cancelled."
    )
    settled = fields.Integer(
        readonly=True, help="Holds whose reason went away, whose time came, or that a rule let pass."
    )
    waiting = fields.Integer(string="Still Held", readonly=True)
    false_alarm_rate = fields.Float(
        string="False Alarm Rate (%)",
        readonly=True,
        aggregator="avg",
        help="Of the holds a person decided, the share released without changing anything.",
    )
    handling_minutes = fields.Float(
        string="Hands-on Minutes",
        readonly=True,
        help="Time people spent on its holds; that of a hold of several rules is shared by them.",
    )

    def _read_group_select(self, aggregate_spec, query):
        """Override of the ORM: the rate of a group is that of all its holds, not the mean of its rows' rates."""
        if aggregate_spec != "false_alarm_rate:avg":
            return super()._read_group_select(aggregate_spec, query)
        alarms, acted = (self._field_to_sql(self._table, name, query) for name in ("false_alarms", "acted"))
        return SQL("100.0 * SUM(%s) / NULLIF(SUM(%s) + SUM(%s), 0)", alarms, alarms, acted)

    @property
    def _table_query(self):
        return self._query_report()

    @api.model
    def _query_report(self):
        """Return the query of the report: matches and holds, each counted by rule, channel and day, side by side."""
        return SQL(
            """
            SELECT row_number() OVER (ORDER BY facts.date, facts.rule_id, facts.channel_id, facts.company_id) AS id,
                   facts.rule_id, oms_rule.set_id, facts.company_id, facts.channel_id, facts.date,
                   SUM(facts.fired)::integer AS fired,
                   SUM(facts.held)::integer AS held,
                   SUM(facts.false_alarms)::integer AS false_alarms,
                   SUM(facts.acted)::integer AS acted,
                   SUM(facts.settled)::integer AS settled,
                   SUM(facts.waiting)::integer AS waiting,
                   SUM(facts.handling_minutes) AS handling_minutes,
                   100.0 * SUM(facts.false_alarms) / NULLIF(SUM(facts.false_alarms + facts.acted), 0)
                       AS false_alarm_rate
              FROM (
                    SELECT rule_id, company_id, channel_id, date_trunc('hour', date) AS date, COUNT(*) AS fired,
                           0 AS held, 0 AS false_alarms, 0 AS acted, 0 AS settled, 0 AS waiting, 0.0 AS handling_minutes
                      FROM (
                            SELECT rule_id, company_id, channel_id, order_id, MIN(date) AS date
                              FROM oms_rule_hit
                             GROUP BY rule_id, company_id, channel_id, order_id
                           ) AS first_match
                     GROUP BY rule_id, company_id, channel_id, date_trunc('hour', date)
                    UNION ALL
                    SELECT rule_id, company_id, channel_id, date_trunc('hour', create_date) AS date, 0 AS fired,
                           COUNT(*) AS held,
                           COUNT(*) FILTER (WHERE outcome = 'unchanged') AS false_alarms,
                           COUNT(*) FILTER (WHERE outcome IN ('corrected', 'cancelled')) AS acted,
                           COUNT(*) FILTER (WHERE outcome IN ('settled', 'expired', 'approved')) AS settled,
                           COUNT(*) FILTER (WHERE outcome = 'waiting') AS waiting,
                           COALESCE(SUM(minutes), 0.0) AS handling_minutes
                      FROM (
                            SELECT reason.rule_id, hold.company_id, hold.channel_id, reason.create_date,
                                   CASE WHEN reason.settled_date IS NOT NULL THEN 'settled'
                                        WHEN hold.state = 'active' THEN 'waiting'
                                        ELSE COALESCE(hold.resolution, 'settled') END AS outcome,
                                   hold.handling_minutes / COUNT(*) OVER (PARTITION BY hold.id) AS minutes
                              FROM oms_hold_reason AS reason
                              JOIN oms_hold AS hold ON hold.id = reason.hold_id
                           ) AS reasons
                     WHERE rule_id IS NOT NULL
                     GROUP BY rule_id, company_id, channel_id, date_trunc('hour', create_date)
                   ) AS facts
              JOIN oms_rule ON oms_rule.id = facts.rule_id
             GROUP BY facts.rule_id, oms_rule.set_id, facts.company_id, facts.channel_id, facts.date
            """
        )
