"""The review over real transactions: what a refusal leaves behind, and what others do while it runs."""

import contextlib
import logging
import os
import threading
import unittest
from unittest.mock import patch

from servers.odoo_server import clone_database, drop_database, wait_until

import odoo.sql_db
from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tools import config, mute_logger

from odoo.addons.oms_base.models.review import sale_order_review_queue


class TestReviewTransactions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = f"oms_review_{os.getpid()}"
        clone_database(os.environ["OMS_TEMPLATE"], cls.database)
        cls.addClassCleanup(drop_database, cls.database)
        cls.addClassCleanup(odoo.sql_db.close_db, cls.database)
        cls.addClassCleanup(Registry.delete, cls.database)
        # Loading it must not run the tests of the addons.
        with patch.dict(config.options.maps[0], {"test_enable": False}):
            cls.registry = Registry(cls.database)
        with cls._transaction() as env:
            env["oms.rule"].search([]).action_to_draft()
            warehouse = env["stock.warehouse"].search([], limit=1)
            channel = env["oms.channel"].create({"name": "Real", "code": "real", "auto_confirm": True})
            product = env["product.product"].create({"name": "Mouse", "is_storable": True, "taxes_id": False})
            env["stock.quant"].with_context(inventory_mode=True).create(
                {"product_id": product.id, "location_id": warehouse.lot_stock_id.id, "inventory_quantity": 10_000}
            ).action_apply_inventory()
            buyer = env["res.partner"].create(
                {
                    "name": "张三",
                    "street": "文三路 90 号",
                    "city": "杭州市",
                    "phone": "+86 138 0000 0000",
                    "country_id": env.ref("base.cn").id,
                    "state_id": env["res.country.state"].search([("country_id.code", "=", "CN")], limit=1).id,
                }
            )
            operator = env["res.users"].create(
                {
                    "name": "Operator",
                    "login": "operator",
                    "group_ids": [Command.link(env.ref("oms_base.oms_base_group_warehouse").id)],
                }
            )
            cls.warehouse, cls.channel, cls.product = warehouse.id, channel.id, product.id
            cls.buyer, cls.operator = buyer.id, operator.id

    @classmethod
    @contextlib.contextmanager
    def _transaction(cls, uid=SUPERUSER_ID):
        """A transaction of its own: committed, or rolled back by an exception."""
        with cls.registry.cursor() as cr:
            yield api.Environment(cr, uid, {"tracking_disable": True})
        cls.registry.check_signaling()

    def tearDown(self):
        with self._transaction() as env:
            env["oms.rule"].with_context(active_test=False).search([]).action_to_draft()
            env["sale.order"].search([("channel_id", "=", self.channel), ("state", "=", "draft")])._action_cancel()

    def _create_orders(self, env, count=1, **values):
        return env["sale.order"].create(
            [
                {
                    "partner_id": self.buyer,
                    "channel_id": self.channel,
                    "warehouse_id": self.warehouse,
                    "order_line": [
                        Command.create({"product_id": self.product, "product_uom_qty": 1, "price_unit": 10})
                    ],
                    **values,
                }
                for _order in range(count)
            ]
        )

    def _create_rule(self, env, domain="[]", hold_type="address", **values):
        hold = env["oms.hold.type"].search([("code", "=", hold_type)])
        return env["oms.rule"].create(
            {
                "name": "Real",
                "domain": domain,
                "state": "live",
                "tz": "UTC",
                "action_ids": [Command.create({"type": "hold", "hold_type_id": hold.id})],
                **values,
            }
        )

    def _count(self, model, ids, **values):
        with self._transaction() as env:
            domain = [("order_id", "in", ids), *((name, "=", value) for name, value in values.items())]
            return env[model].search_count(domain)

    # === FINDINGS SURVIVE === #

    def test_findings_survive_a_refused_confirmation(self):
        with self._transaction() as env:
            order = self._create_orders(env).id
            self._create_rule(env)
        with self.assertRaisesRegex(UserError, "on hold"), self._transaction() as env:
            env["sale.order"].browse(order)._action_confirm()
        self.assertEqual(self._count("oms.hold", [order], state="active"), 1)
        self.assertEqual(self._count("oms.decision", [order], outcome="hold"), 1)

    def test_findings_survive_a_written_state(self):
        with self._transaction() as env:
            order = self._create_orders(env).id
            self._create_rule(env)
        with self.assertRaisesRegex(UserError, "on hold"), self._transaction() as env:
            env["sale.order"].browse(order).state = "sale"
        self.assertEqual(self._count("oms.hold", [order], state="active"), 1)

    def _confirm(self, trigger):
        """Return a confirmed order, and the transfer, that a rule before ``trigger`` holds."""
        with self._transaction() as env:
            order = self._create_orders(env)
            order.action_confirm()
            self._create_rule(env, trigger=trigger, hold_type="manual")
            return order.id, order.picking_ids.id

    def test_findings_survive_a_refused_transfer(self):
        order, picking = self._confirm("ship")
        with self.assertRaisesRegex(UserError, "on hold"), self._transaction(self.operator) as env:
            env["stock.picking"].browse(picking).with_context(skip_sms=True).button_validate()
        self.assertEqual(self._count("oms.hold", [order], state="active"), 1)
        self.assertEqual(self._count("oms.decision", [order], outcome="hold"), 1)

    def test_findings_survive_a_refused_release(self):
        order, picking = self._confirm("release")
        with self._transaction() as env:
            env["oms.rule"].search([("state", "=", "live")]).action_ids.gate = "release"
        with self.assertRaisesRegex(UserError, "on hold"), self._transaction(self.operator) as env:
            env["stock.picking"].browse(picking)._oms_check_release()
        self.assertEqual(self._count("oms.hold", [order], state="active"), 1)

    def test_findings_survive_a_savepoint(self):
        """A caller that goes on after the refusal, as the scans of the warehouse do, loses nothing either."""
        order, picking = self._confirm("ship")
        with self._transaction(self.operator) as env, contextlib.suppress(UserError), env.cr.savepoint():
            env["stock.picking"].browse(picking).with_context(skip_sms=True).button_validate()
        self.assertEqual(self._count("oms.hold", [order], state="active"), 1)

    def test_refused_twice_is_held_once(self):
        order, picking = self._confirm("ship")
        for _try in range(2):
            with self.assertRaisesRegex(UserError, "on hold"), self._transaction(self.operator) as env:
                env["stock.picking"].browse(picking).with_context(skip_sms=True).button_validate()
        self.assertEqual(self._count("oms.hold", [order]), 1)

    # === RULES CHANGE UNDER A RUN === #

    def test_rule_edited_during_a_run(self):
        with self._transaction() as env:
            orders = self._create_orders(env, 3).ids
            rule = self._create_rule(env).id
        original = self.registry["sale.order"]._oms_settle

        def edit_and_settle(records, matched):
            if not edited:
                edited.append(True)
                with self._transaction() as other:
                    other["oms.rule"].browse(rule).write({"domain": "[('amount_total', '>', 5)]"})
            return original(records, matched)

        edited = []
        with patch.object(self.registry["sale.order"], "_oms_settle", edit_and_settle), self._transaction() as env:
            env["sale.order"].browse(orders)._oms_review()
        self.assertEqual(self._get_versions(orders), {1})
        with self._transaction() as env:
            env["sale.order"].browse(orders)._oms_review()
        self.assertEqual(self._get_versions(orders), {1, 2})

    def _edit(self, rule, **values):
        """Change a rule in a transaction of its own, as another person does."""
        with self._transaction() as other:
            other["oms.rule"].browse(rule).write(values)

    def test_rules_older_than_the_transaction_judge_nothing(self):
        """The cache of this process may be behind: what a rule does is never another version's than what judged."""
        with self._transaction() as env:
            orders = self._create_orders(env, 2).ids
            rule = self._create_rule(env).id
        with self._transaction() as env:
            old = env["oms.rule"]._get_specs(("received", "confirm"), fields.Datetime.now())
        self._edit(rule, domain=f"[('id', '=', {orders[0]})]")
        original = self.registry["oms.rule"]._get_specs
        answers = [old]
        with (
            patch.object(
                self.registry["oms.rule"],
                "_get_specs",
                lambda rules, *args: answers.pop() if answers else original(rules, *args),
            ),
            self._transaction() as env,
        ):
            env["sale.order"].browse(orders)._oms_review()
        self.assertEqual(self._get_versions(orders), {2})
        self.assertEqual(self._count("oms.hold", orders), 1)

    def test_rule_edited_between_the_batches_of_a_run(self):
        """Each batch is judged and stamped by the rule as it is then: condition, actions and version."""
        with self._transaction() as env:
            orders = self._create_orders(env, 4).ids
            env["sale.order"].browse(orders).oms_review_date = fields.Datetime.now()
            rule = self._create_rule(env, f"[('id', 'in', {orders})]", trigger="schedule").id
            other_type = env.ref("oms_base.oms_hold_type_manual").id
        original, edited = self.registry["sale.order"]._oms_keep_decisions, []

        def keep_and_edit(records, matched):
            original(records, matched)
            if not edited and matched:
                edited.append(True)
                self._edit(
                    rule,
                    domain=f"[('id', 'in', {orders[2:3]})]",
                    action_ids=[Command.clear(), Command.create({"type": "hold", "hold_type_id": other_type})],
                )

        with (
            patch.object(sale_order_review_queue, "SCHEDULED_BATCH_SIZE", 2),
            patch.object(self.registry["sale.order"], "_get_scheduled_domain", lambda _self: [("id", "in", orders)]),
            patch.object(self.registry["sale.order"], "_oms_keep_decisions", keep_and_edit),
            self._transaction() as env,
        ):
            env["sale.order"]._cron_judge_scheduled()
        self.assertEqual(self._get_versions(orders[:2]), {1})
        self.assertEqual(self._get_versions(orders[2:]), {2})
        with self._transaction() as env:
            holds = env["sale.order"].browse(orders).mapped(lambda order: order.oms_hold_ids.type_id.code or "")
            self.assertEqual(holds, ["address", "address", "manual", ""])

    def _get_versions(self, orders):
        """Return the numbers of the versions that decisions, matches and holds of these orders are stamped with."""
        with self._transaction() as env:
            domain = [("order_id", "in", orders)]
            decisions = env["oms.decision"].search(domain)
            versions = {match["version"] for decision in decisions for match in decision.data["matched"]}
            numbers = env["oms.rule.hit"].search(domain).version_id.mapped("number")
            self.assertEqual(versions, set(numbers))
            self.assertLessEqual(set(env["oms.hold"].search(domain).reason_ids.version_id.mapped("number")), versions)
            return versions

    def test_rule_with_a_broken_domain(self):
        with self._transaction() as env:
            order = self._create_orders(env).id
            self._create_rule(env)
            broken = self._create_rule(env, hold_type="manual")
            with self.assertRaises(ValidationError), env.cr.savepoint():
                broken.domain = "[('no_such_field', '=', 1)]"
            # As an update of an addon may leave it behind.
            env.cr.execute("UPDATE oms_rule SET domain = %s WHERE id = %s", ("[('no_such_field', '=', 1)]", broken.id))
            env.invalidate_all()
            env.registry.clear_cache()
        with self.assertLogs("odoo.addons.oms_base", logging.WARNING) as logs, self._transaction() as env:
            env["sale.order"].browse(order)._oms_review()
            self.assertIn("no_such_field", env["oms.rule"].browse(broken.id).problem)
        self.assertIn("left out", logs.output[0])
        self.assertEqual(self._count("oms.hold", [order], state="active"), 1)

    def test_field_deleted_from_a_live_rule(self):
        with self._transaction() as env:
            field = (
                env["ir.model.fields"]
                .create(
                    {
                        "name": "x_risk",
                        "field_description": "Risk",
                        "model_id": env["ir.model"]._get_id("sale.order"),
                        "ttype": "integer",
                        "state": "manual",
                    }
                )
                .id
            )
        with self._transaction() as env:
            orders = self._create_orders(env, 2, x_risk=9).ids
            rule = self._create_rule(env, "[('x_risk', '>', 5)]", name="Risky").id
        with self._transaction() as env:
            env["sale.order"].browse(orders[0])._oms_review()
        self.assertEqual(self._count("oms.hold", orders[:1], state="active"), 1)
        with self.assertRaisesRegex(UserError, "x_risk: Risky"), self._transaction() as env:
            env["ir.model.fields"].browse(field).unlink()
        with self._transaction() as env:
            env["oms.rule"].browse(rule).action_to_draft()
            env["ir.model.fields"].browse(field).unlink()
        with self._transaction() as env:
            env["oms.rule"].flush_model()
            env.cr.execute("UPDATE oms_rule SET state = 'live' WHERE id = %s", (rule,))
            env.registry.clear_cache()
        with self.assertLogs("odoo.addons.oms_base", logging.WARNING), self._transaction() as env:
            env["sale.order"].browse(orders)._oms_review()
            self.assertIn("x_risk", env["oms.rule"].browse(rule).problem)
        self.assertEqual(self._count("oms.decision", orders), 3)
        with self._transaction() as env:  # its hold, that no rule explains any more, is released like any other
            env["oms.hold"].search([("order_id", "in", orders)]).action_release()

    # === SIDE BY SIDE === #

    @mute_logger("odoo.sql_db")  # the second one fails to serialize, and is run again
    def test_two_persons_review_the_same_order(self):
        """Who comes second waits, and finds the hold; neither breaks on the second one of a type."""
        with self._transaction() as env:
            order = self._create_orders(env).id
            self._create_rule(env)
        errors, began = [], threading.Event()

        def review():
            try:
                with self._transaction() as env:
                    record = env["sale.order"].browse(order)
                    self.assertFalse(record.oms_hold_ids)  # what it sees is older than what the other one commits
                    began.set()
                    retrying(record.action_oms_review, env)
            except Exception as error:  # noqa: BLE001 - told by the test
                errors.append(error)

        other = threading.Thread(target=review)
        with self._transaction() as env:
            env["sale.order"].browse(order).action_oms_review()
            env.flush_all()
            other.start()
            self.assertTrue(began.wait(30))
            self._wait_for_lock(env)
        other.join(120)
        self.assertFalse(errors)
        self.assertEqual(self._count("oms.hold", [order]), 1)

    def _wait_for_lock(self, env):
        """Wait until somebody waits for this transaction."""
        query = "SELECT 1 FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"

        def is_waited_for():
            with self.registry.cursor() as cr:
                cr.execute(query, [env.cr._cnx.get_backend_pid()])
                return cr.fetchall()

        wait_until(is_waited_for, "somebody waits for this transaction", 60, 0.02)

    @mute_logger("odoo.sql_db")  # where both take the same order the second one fails, and works it again
    def test_two_workers_judge_the_same_orders(self):
        with self._transaction() as env:
            orders = self._create_orders(env, 6).ids
            self._create_rule(env, f"[('id', 'in', {orders[:3]})]")
        barrier, errors = threading.Barrier(2), []

        def work():
            try:
                with self._transaction() as env:
                    records = env["sale.order"].browse(orders)
                    domain = records._get_review_queue_domain()
                    barrier.wait(30)
                    records._oms_work_until_undisturbed(domain, "_oms_review_and_confirm")
            except Exception as error:  # noqa: BLE001 - told by the test
                errors.append(error)

        threads = [threading.Thread(target=work) for _worker in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        self.assertFalse(errors)
        with self._transaction() as env:
            records = env["sale.order"].browse(orders)
            self.assertEqual(records.mapped("state"), ["draft"] * 3 + ["sale"] * 3)
            self.assertEqual([len(order.oms_hold_ids) for order in records], [1] * 3 + [0] * 3)
            self.assertEqual(
                [len(order.oms_decision_ids.filtered(lambda d: d.kind == "review")) for order in records], [1] * 6
            )
            self.assertEqual([len(order.picking_ids) for order in records], [0] * 3 + [1] * 3)
