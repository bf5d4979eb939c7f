from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestHoldRelease(OmsBaseCommon):
    def _create_orders(self, size):
        return self.env["sale.order"].create([self._prepare_order_values() for _index in range(size)])

    def test_unchanged_is_told_from_corrected(self):
        unchanged, corrected, before = (
            order._oms_place_hold("manual", "x") if index < 2 else order
            for index, order in enumerate(self._create_orders(3))
        )
        before._oms_log_event("changed")
        before = before._oms_place_hold("manual", "x")
        corrected.order_id._oms_log_event("changed", message="address")
        (unchanged | corrected | before).with_user(self.user).action_release("fine")
        self.assertEqual(
            [hold.resolution for hold in (unchanged, corrected, before)], ["unchanged", "corrected", "unchanged"]
        )

    def test_the_override_is_in_the_timeline_with_user_and_comment(self):
        hold = self._create_orders(1)._oms_place_hold("manual", "x")
        hold.with_user(self.user).action_release("the buyer is known")
        event = hold.order_id.oms_event_ids.filtered(lambda event: event.code == "released")
        self.assertEqual(event.user_id, self.user)
        self.assertIn("Released unchanged · the buyer is known", event.message)
        self.assertEqual(event.data["resolution"], "unchanged")

    def test_each_ending_has_its_resolution(self):
        cancelled = self._create_orders(1)._oms_place_hold("manual", "x")
        cancelled.order_id._action_cancel()
        settled, expired = (self._create_orders(1)._oms_place_hold(code, "x") for code in ("manual", "delay"))
        settled._release("gone")
        expired.auto_release_date = "2020-01-01"
        self._run_cron("oms_base.ir_cron_release_holds")
        self.assertEqual(
            [hold.resolution for hold in (cancelled, settled, expired)], ["cancelled", "settled", "expired"]
        )

    def test_values_go_into_the_new_holds(self):
        orders = self._create_orders(2)
        first, second = orders._oms_place_hold(
            "manual", "x", values={"by_order": {orders[0].id: {"user_id": self.user.id}}}
        ).sorted("id")
        self.assertEqual((first.user_id, second.user_id.id), (self.user, False))
        later = fields.Datetime.now() + timedelta(days=1)
        holds = orders._oms_place_hold("delay", "x", values={"auto_release_date": later})
        self.assertEqual(set(holds.mapped("auto_release_date")), {later})

    def test_placing_and_releasing_do_not_cost_a_query_an_order(self):
        def count(size):
            orders = self._create_orders(size)
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            holds = orders._oms_place_hold("manual", "x")
            self.env.flush_all()
            placed = self.env.cr.sql_log_count
            self.env.invalidate_all()
            holds.with_user(self.user).action_release("fine")
            self.env.flush_all()
            return placed - start, self.env.cr.sql_log_count - placed

        count(2)
        few, many = count(5), count(60)
        self.assertLess(many[0], few[0] + 5)
        self.assertLess(many[1], few[1] + 5)

    def test_500_with_three_refusals_release_497(self):
        orders = self._create_orders(500)
        refused = orders[100:103]
        holds = (orders - refused)._oms_place_hold("manual", "x") | refused._oms_place_hold("credit", "owes")
        self.env.flush_all()
        before = self.env.cr.sql_log_count
        answers = self.env["oms.hold"].with_user(self.user).action_release_many(holds.ids, "looked at")
        self.env.flush_all()
        self.assertLess(self.env.cr.sql_log_count - before, 150)
        self.assertEqual([answer["id"] for answer in answers], holds.ids)
        self.assertEqual(len([answer for answer in answers if answer["ok"]]), 497)
        explained = [answer for answer in answers if not answer["ok"]]
        self.assertEqual(len(explained), 3)
        for answer in explained:
            self.assertIn("can only be released by the group", answer["message"])
        self.assertEqual(holds.filtered(lambda hold: hold.state == "active").order_id, refused)

    def test_one_that_fails_on_the_way_does_not_stop_the_others(self):
        holds = self._create_orders(4)._oms_place_hold("manual", "x")
        bad = holds[2]
        release = type(holds)._release

        def _release(records, *args, **kwargs):
            if bad in records:
                refusal = "Not this one"
                raise UserError(refusal)
            return release(records, *args, **kwargs)

        with patch.object(type(holds), "_release", _release):
            answers = holds.with_user(self.user)._release_each("fine")
        self.assertEqual([answer["ok"] for answer in answers], [True, True, False, True])
        self.assertEqual(answers[2]["message"], "Not this one")
        self.assertEqual(bad.state, "active")
        self.assertEqual(set((holds - bad).mapped("state")), {"released"})

    def test_what_is_gone_or_released_is_explained(self):
        released, gone = self._create_orders(2)._oms_place_hold("manual", "x")
        released.with_user(self.manager).action_release()
        gone_id = gone.id
        gone.unlink()
        answers = self.env["oms.hold"].with_user(self.user).action_release_many([released.id, gone_id])
        self.assertIn(f"already released by {self.manager.name}", answers[0]["message"])
        self.assertIn("not there any more", answers[1]["message"])

    def test_the_button_tells_who_was_faster(self):
        hold = self._create_orders(1)._oms_place_hold("manual", "x")
        hold.with_user(self.manager).action_release()
        result = hold.with_user(self.user).action_release()
        self.assertIn(f"already released by {self.manager.name}", result["params"]["message"])


@tagged("post_install", "-at_install")
class TestTwoReviewers(TransactionCase):
    """Two reviewers release one hold at once, each in a transaction of their own. The test's own transaction writes
    nothing, so that it locks nothing."""

    def _commit(self, function):
        with self.registry.cursor() as cr:
            return function(self.env(cr=cr, user=self.uid))

    def _create_hold(self, env):
        channel = env["oms.channel"].create({"name": "Race", "code": "race"})
        partner = env["res.partner"].create({"name": "Race"})
        order = env["sale.order"].create({"partner_id": partner.id, "channel_id": channel.id})
        users = env["res.users"].create(
            [
                {"name": name, "login": name, "group_ids": [(4, env.ref("oms_base.oms_base_group_user").id)]}
                for name in ("race_anna", "race_bert")
            ]
        )
        return order._oms_place_hold("manual", "x").id, users.ids

    def _clean_up(self, env):
        users = env["res.users"].search([("login", "in", ("race_anna", "race_bert"))])
        env["sale.order"].search([("channel_id.code", "=", "race")]).with_context(force_delete=True).unlink()
        env["oms.channel"].search([("code", "=", "race")]).unlink()
        partners = env["res.partner"].search([("name", "=", "Race")]) | users.partner_id
        users.unlink()
        partners.unlink()

    def test_the_second_reviewer_is_told_who_was_faster(self):
        self.addCleanup(self._commit, self._clean_up)
        hold_id, (anna, bert) = self._commit(self._create_hold)
        with self.registry.cursor() as slow, self.registry.cursor() as fast:
            theirs = self.env(cr=fast, user=anna)["oms.hold"].browse(hold_id)
            ours = self.env(cr=slow, user=bert)["oms.hold"].browse(hold_id)
            theirs.action_release("mine")
            self.assertEqual(ours.state, "active")
            (answer,) = ours._release_each("mine too")
            self.assertIn("being worked on by somebody else", answer["message"])
            with self.assertRaisesRegex(UserError, "being worked on"):
                ours.action_release()
            fast.commit()
        with self.registry.cursor() as cr:
            (answer,) = self.env(cr=cr, user=bert)["oms.hold"].browse(hold_id)._release_each("mine too")
            self.assertFalse(answer["ok"])
            self.assertIn("already released by race_anna at ", answer["message"])

    def test_a_reviewer_with_an_old_view_is_sent_back(self):
        """Odoo runs the request again after such an error, and then it ends as above."""
        self.addCleanup(self._commit, self._clean_up)
        hold_id, (anna, bert) = self._commit(self._create_hold)
        with self.registry.cursor() as slow:
            ours = self.env(cr=slow, user=bert)["oms.hold"].browse(hold_id)
            self.assertEqual(ours.state, "active")
            with self.registry.cursor() as fast:
                self.env(cr=fast, user=anna)["oms.hold"].browse(hold_id).action_release("mine")
            with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"):
                ours.action_release()
            slow.rollback()
        with self.registry.cursor() as cr:
            events = self.env(cr=cr)["oms.event"].search([("res_id", "=", hold_id), ("code", "=", "released")])
            self.assertEqual(len(events), 1)
