from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestFeedback(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oms.rule"].search([]).state = "draft"
        cls._set_stock(cls.mouse, 1000)
        cls.rule = cls._create_rule("[('amount_total', '>', 100)]")
        cls.orders = cls.env["sale.order"].create(
            [cls._prepare_order_values([(cls.mouse, quantity)]) for quantity in range(1, 11)]
        )
        cls.orders._oms_review()
        cls.orders[:5]._oms_review()  # a second look is no second match
        holds = cls.orders.oms_hold_ids.sorted("order_id")
        holds[0].action_release()
        holds[1]._release(resolution="corrected")
        holds[2]._release(resolution="unchanged")
        holds[3]._release(resolution="settled")
        cls.env.flush_all()
        cls.env.cr.execute("UPDATE oms_hold SET handling_minutes = 2 WHERE id IN %s", [tuple(holds.ids)])
        cls.env.invalidate_all()

    def test_feedback_of_a_rule_is_exact(self):
        self.orders[-1]._oms_review()
        measures = ["fired", "held", "false_alarms", "acted", "settled", "waiting"]
        [row] = self.env["oms.rule.report"]._read_group(
            [("rule_id", "=", self.rule.id)],
            ["rule_id", "channel_id"],
            [*(f"{measure}:sum" for measure in measures), "false_alarm_rate:avg", "handling_minutes:sum"],
        )
        self.assertEqual(row[:2], (self.rule, self.channel))
        self.assertEqual(
            dict(zip(measures, row[2:8], strict=True)),
            {
                "fired": 5,
                "held": 5,
                "false_alarms": 2,
                "acted": 1,
                "settled": 1,
                "waiting": 1,
            },
        )
        self.assertAlmostEqual(row[8], 100 * 2 / 3)
        self.assertEqual(row[9], 10.0)
        self.assertEqual((self.rule.decided_count, round(self.rule.false_alarm_rate, 1)), (3, 66.7))
        self.assertEqual(self.rule.action_view_feedback()["domain"], [("rule_id", "=", self.rule.id)])

    def test_rate_of_a_group_is_that_of_its_holds(self):
        """Not the mean of the rates of its rows: 1 of 1 and 0 of 3 are 25 %."""
        holds = self.orders.oms_hold_ids
        self.env.cr.execute("DELETE FROM oms_hold WHERE id NOT IN %s", [tuple(holds.sorted("order_id")[:4].ids)])
        self.env.invalidate_all()
        first, *others = self.orders.oms_hold_ids.sorted("order_id")
        first.resolution = "unchanged"
        for hold in others:
            hold.resolution = "corrected"
        self.env.flush_all()
        yesterday = fields.Datetime.now() - timedelta(days=1)
        self.env.cr.execute(
            "UPDATE oms_hold SET state = 'released' WHERE id IN %s", [tuple(self.orders.oms_hold_ids.ids)]
        )
        self.env.cr.execute("UPDATE oms_hold SET create_date = %s WHERE id = %s", [yesterday, first.id])
        self.env.invalidate_all()
        [(rate,)] = self.env["oms.rule.report"]._read_group(
            [("rule_id", "=", self.rule.id)], [], ["false_alarm_rate:avg"]
        )
        self.assertEqual(rate, 25.0)

    def test_pass_rate_by_channel_is_exact(self):
        self._create_order([(self.mouse, 50)])  # never judged: not in it
        confirmed = self.orders[0]
        confirmed.action_confirm()
        confirmed._oms_place_hold("manual", "after it was confirmed", rule=self.rule)
        self.orders[1]._oms_place_hold("manual", "by hand")  # no rule's doing
        self.env.cr.execute(
            "UPDATE oms_hold SET create_date = create_date + interval '1 hour' WHERE order_id = %s", [confirmed.id]
        )
        self.env.flush_all()
        [(channel, count, passed, rate, target)] = self.env["oms.review.report"]._read_group(
            [("channel_id", "=", self.channel.id)],
            ["channel_id"],
            ["__count", "passed:sum", "pass_rate:avg", "target:avg"],
        )
        self.assertEqual((channel, count, passed, rate, target), (self.channel, 10, 5, 50.0, 95.0))
        rows = self.env["oms.review.report"].search([("order_id", "in", self.orders.ids)], order="id")
        self.assertEqual(rows.order_id, self.orders)
        self.assertEqual(rows[-1].outcome, "hold")
        self.assertEqual(rows[2].outcome, "pass")
        self.assertEqual(rows[-1].type_id.code, "manual")

    def test_overview_shows_the_rate_of_today(self):
        for user in (self.user, self.manager):
            sections = self.env["oms.overview"].with_user(user).get_overview()
            [rules] = [section for section in sections if section["key"] == "rules"]
            tile = next(tile for tile in rules["tiles"] if tile["key"] == "passed")
            count = self.env["oms.review.report"].with_user(user).search_count(tile["domain"])
            self.assertEqual(count, tile["value"])
            self.assertEqual((tile["text"], tile["level"]), ("50.0\N{NO-BREAK SPACE}%", "warning"))

    def test_reports_are_of_own_companies_and_for_reviewers(self):
        company = self.env["res.company"].create({"name": "Other"})
        self.env["res.users"].browse(self.user.id).write({"company_ids": [(4, company.id)], "company_id": company.id})
        for model in ("oms.rule.report", "oms.review.report", "oms.rehearsal"):
            self.assertFalse(
                self.env[model].with_user(self.user).with_context(allowed_company_ids=company.ids).search([])
            )
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.operator).search([])
