from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL


class OmsRuleHit(models.Model):
    """An order matched a rule: what says how often a rule fires, and on what. Append-only."""

    _name = "oms.rule.hit"
    _description = "Rule Match"
    _order = "id desc"
    _log_access = False  # append-only, with a date of its own; each user named is one more key to check
    _rec_name = "rule_id"

    rule_id = fields.Many2one("oms.rule", required=True, index=True, ondelete="cascade", readonly=True)
    version_id = fields.Many2one("oms.rule.version", required=True, index=True, ondelete="cascade", readonly=True)
    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one("res.company", required=True, index=True, readonly=True)
    channel_id = fields.Many2one("oms.channel", index="btree_not_null", readonly=True)
    trigger = fields.Char(readonly=True)
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    sentence = fields.Text(related="version_id.sentence")

    _rule_date_idx = models.Index("(rule_id, date)")

    @api.model
    def _get_known(self, matched):
        """Return the set of pairs (version id, order id) that matched before.

        :param matched: dict {version id: order ids}
        """
        order_ids = {order_id for ids in matched.values() for order_id in ids}
        if not order_ids:
            return set()
        return set(
            self.env.execute_query(
                SQL(
                    "SELECT DISTINCT version_id, order_id FROM oms_rule_hit"
                    " WHERE version_id = ANY(%s) AND order_id = ANY(%s)",
                    list(matched),
                    list(order_ids),
                )
            )
        )

    @api.autovacuum
    def _gc_hits(self):
        return self.env["oms.event"]._forget_old(self)

    def _query_insert(self, matched):
        """Write many matches in one query: a batch of orders may match many rules.

        :param matched: dict {`spec.RuleSpec`: list of order ids}
        """
        rows = [
            SQL("(%s, %s, %s, %s)", ids, spec.id, spec.version_id, spec.trigger) for spec, ids in matched.items() if ids
        ]
        if not rows:
            return
        self.env["sale.order"].flush_model(["company_id", "channel_id"])
        self.env.cr.execute(
            SQL(
                "INSERT INTO oms_rule_hit"
                " (rule_id, version_id, order_id, company_id, channel_id, trigger, date)"
                " SELECT hit.rule_id, hit.version_id, o.id, o.company_id, o.channel_id, hit.trigger, %s"
                " FROM (VALUES %s) AS hit (ids, rule_id, version_id, trigger)"
                " JOIN sale_order o ON o.id = ANY(hit.ids) ORDER BY o.id",
                fields.Datetime.now(),
                SQL(", ").join(rows),
            )
        )
        self.env["oms.rule"].invalidate_model(["hit_count"], flush=False)


class OmsRule(models.Model):
    _inherit = "oms.rule"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_judged(self):
        """Decisions are stamped with the versions of rules, so a rule that has decided something is not deleted."""
        # sudo: oms.rule.hit - whether it ever matched is no matter of whose orders one may see
        if hit := self.env["oms.rule.hit"].sudo().search([("rule_id", "in", self.ids)], limit=1):
            raise UserError(
                self.env._(
                    "%(rule)s has decided about orders, and their decisions name it. Archive it instead.",
                    rule=hit.rule_id.name,
                )
            )
