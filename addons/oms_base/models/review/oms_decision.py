from odoo import api, fields, models
from odoo.tools import SQL


class OmsDecision(models.Model):
    """Why something was decided for an order: what won, what lost, by which version of a rule, on which numbers."""

    _name = "oms.decision"
    _description = "Order Decision"
    _order = "id desc"
    _log_access = False  # append-only, with a date of its own; each user named is one more key to check
    _rec_name = "summary"

    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade", readonly=True)
    # Not stored: each order judged leaves a row, of which two more columns with key and index made half of the price.
    company_id = fields.Many2one(related="order_id.company_id")
    channel_id = fields.Many2one(related="order_id.channel_id")
    kind = fields.Selection(
        [("review", "Review"), ("merge", "Merge"), ("split", "Split")], required=True, readonly=True
    )
    outcome = fields.Char(readonly=True, required=True, help="Short code of the result, for grouping: pass, hold, ...")
    summary = fields.Char(readonly=True, required=True)
    date = fields.Datetime(default=fields.Datetime.now, required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="By", default=lambda self: self.env.user, readonly=True)
    data = fields.Json(
        readonly=True,
        help="What was seen and weighed. A review keeps {'matched': [{'id', 'name', 'version', 'version_id'}],"
        " 'judged': count}.",
    )
    explanation = fields.Text(compute="_compute_explanation", help="The rules that matched, each in one sentence.")

    @api.depends_context("lang")
    @api.depends("data")
    def _compute_explanation(self):
        ids_by_decision = {
            decision: [
                match["version_id"] for match in (decision.data or {}).get("matched", []) if "version_id" in match
            ]
            for decision in self
        }
        # sudo: oms.rule.version - who sees the decision may know the rule that it was made by
        Version = self.env["oms.rule.version"].sudo()
        versions = Version.browse({id_ for ids in ids_by_decision.values() for id_ in ids}).exists()
        sentences = {version.id: version.sentence for version in versions}
        for decision, ids in ids_by_decision.items():
            decision.explanation = "\n".join(sentences[id_] for id_ in ids if id_ in sentences)

    @api.autovacuum
    def _gc_decisions(self):
        return self.env["oms.event"]._forget_old(self)

    def _query_insert(self, kind, groups):
        """Write the decisions on many orders in one query. Most orders of a batch are decided alike, so what is said of
        them is sent once.

        :param groups: dict {(outcome, summary, JSON text of the data): list of order ids}
        """
        if not groups:
            return
        shared = (fields.Datetime.now(), self.env.uid)
        rows = [
            SQL("VALUES (%s, %s, %s, %s, %s::jsonb, %s, %s)", ids[0], kind, *decided, *shared)
            if len(ids) == 1
            else SQL("SELECT unnest(%s), %s, %s, %s, %s::jsonb, %s, %s", sorted(ids), kind, *decided, *shared)
            for decided, ids in groups.items()
        ]
        self.env.cr.execute(
            SQL(
                "INSERT INTO oms_decision (order_id, kind, outcome, summary, data, date, user_id) %s",
                SQL(" UNION ALL ").join(rows),
            )
        )
        orders = self.env["sale.order"].browse(order_id for ids in groups.values() for order_id in ids)
        orders.invalidate_recordset(["oms_decision_ids"], flush=False)
        orders.modified(["oms_decision_ids"])
