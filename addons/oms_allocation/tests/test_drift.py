from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL

from .common import OmsAllocationCommon

CRON = "oms_allocation.ir_cron_check_drift"


@tagged("post_install", "-at_install")
class TestDrift(OmsAllocationCommon):
    """Each kind of drift, made by SQL, is found and, where that is safe, repaired."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_stocks(cls.lamp, shanghai=10, beijing=10)

    def setUp(self):
        super().setUp()
        self.order = self._confirm([(self.lamp, 3)])
        self.row = self.order.oms_allocation_ids

    def spoil(self, table, records, **values):
        """Change rows behind the ORM's back, as a crash or a hand in the database would."""
        self.env.flush_all()
        for column, value in values.items():
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id IN %s",
                    SQL.identifier(table),
                    SQL.identifier(column),
                    value,
                    tuple(records.ids),
                )
            )
        self.env.invalidate_all()

    def check(self):
        """Check this test's order and stock; return {kind: finding} of what was found now."""
        Drift = self.env["oms.stock.drift"]
        before = Drift.search([])
        Drift._check_orders(self.order)
        Drift._check_stock()
        found = Drift.search([("product_id", "in", self.lamp.ids)]) - before
        return {drift.kind: drift for drift in found}

    def get_quant(self):
        return self.env["stock.quant"].search(
            [("product_id", "=", self.lamp.id), ("location_id", "child_of", self.shanghai.lot_stock_id.id)]
        )

    def test_nothing_is_found_where_all_is_well(self):
        self.assertEqual(self.check(), {})
        self._deliver(self.order)
        self.assertEqual(self.check(), {})
        self.order.order_line.product_uom_qty = 5
        self.order._action_cancel()
        self.assertEqual(self.check(), {})

    def test_plan_that_differs_from_transfers_follows_them(self):
        self.spoil("oms_allocation", self.row, procured_quantity=2, quantity=2)
        drift = self.check()["procured"]
        self.assertEqual((drift.state, drift.expected, drift.found), ("repaired", 3, 2))
        self.assertEqual((drift.order_id, drift.warehouse_id), (self.order, self.shanghai))
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 3})

    def test_allocation_that_is_missing_is_written_again(self):
        self.env["stock.move"].flush_model()
        other = self._confirm([(self.lamp, 2), (self.desk, 1)])
        other.order_line[0].oms_allocation_ids.unlink()
        self.order = other
        self.assertFalse(self.check(), "a line without any allocation is taken in when its stock is looked for")
        self.row.copy({"warehouse_id": self.beijing.id, "quantity": 4, "procured_quantity": 4})
        self.order = self.row.order_id
        self.assertEqual(self.check()["procured"].state, "repaired")
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 3})

    def test_shipped_quantity(self):
        self._deliver(self.order)
        self.spoil("oms_allocation", self.row, done_quantity=1)
        drift = self.check()["done"]
        self.assertEqual((drift.state, drift.expected, drift.found), ("repaired", 3, 1))
        self.assertEqual((self.row.done_quantity, self.row.state), (3, "done"))

    def test_planned_and_never_launched(self):
        self.order.order_line.product_uom_qty = 2
        self.spoil("sale_order_line", self.order.order_line, product_uom_qty=4)
        self.spoil("oms_allocation", self.row, quantity=4)
        drift = self.check()["planned"]
        self.assertEqual((drift.state, drift.expected, drift.found), ("repaired", 4, 2))
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 4})

    def test_planned_beyond_what_was_ordered_waits_for_a_person(self):
        self.spoil("oms_allocation", self.row, quantity=7)
        found = self.check()
        self.assertEqual(found["planned"].state, "open")
        self.assertEqual(found["sum"].state, "open")
        again = self.check()
        self.assertEqual(again, {}, "what is known is not found a second time")
        self.spoil("oms_allocation", self.row, quantity=3)
        self.check()
        self.assertEqual({drift.state for drift in found.values()}, {"settled"})

    def test_short_on_paper_only(self):
        self.spoil("oms_allocation", self.row, shortage_quantity=2)
        self.assertEqual(self.check()["shortage"].state, "repaired")
        self.assertEqual(self.order.oms_short_quantity, 0)

    def test_reservation_that_no_transfer_has(self):
        self.spoil("stock_quant", self.get_quant(), reserved_quantity=8)
        drift = self.check()["reserved"]
        self.assertEqual((drift.state, drift.expected, drift.found), ("repaired", 3, 8))
        self.assertEqual(drift.location_id, self.shanghai.lot_stock_id)
        self.assertEqual(self.get_quant().reserved_quantity, 3)

    def test_more_reserved_than_on_hand_waits_for_a_person(self):
        self.spoil("stock_quant", self.get_quant(), quantity=1)
        drift = self.check()["oversold"]
        self.assertEqual((drift.state, drift.expected, drift.found, drift.order_id), ("open", 1, 3, self.order))
        self._set_stocks(self.lamp, shanghai=10)
        drift.with_user(self.manager).action_check()
        self.assertEqual(drift.state, "settled")

    def test_order_that_nobody_allocated_does_not_add_up(self):
        self.order.picking_ids.action_cancel()
        found = self.check()
        self.assertEqual({kind: drift.state for kind, drift in found.items()}, {"sum": "open"})
        row = self.env["oms.conservation"].search([("order_id", "=", self.order.id)])
        self.assertEqual((row.cause, row.unallocated_quantity, row.gap_quantity), ("unallocated", 3, 0))

    def test_sums_of_an_order(self):
        self.order.order_line.product_uom_qty = 6
        picking = self.order.picking_ids
        picking.move_ids.quantity = 2
        picking.move_ids.picked = True
        picking._action_done()
        (self.order.picking_ids - picking).move_ids.picked = True
        row = self.env["oms.conservation"].with_user(self.user).search([("order_id", "=", self.order.id)])
        self.assertEqual((row.ordered_quantity, row.picking_quantity, row.shipped_quantity), (6, 4, 2))
        self.assertEqual((row.cause, row.gap_quantity), (False, 0))
        self.order._action_cancel()
        self.env.invalidate_all()
        self.assertEqual((row.cancelled_quantity, row.picking_quantity, row.shipped_quantity), (4, 0, 2))

    def test_total_that_differs_from_the_channel(self):
        self.order.channel_amount_total = self.order.amount_total + 5
        row = self.env["oms.conservation"].search([("order_id", "=", self.order.id)])
        self.assertEqual(row.cause, "total")

    def test_every_night(self):
        self.spoil("oms_allocation", self.row, shortage_quantity=2)
        self.spoil("stock_quant", self.get_quant(), reserved_quantity=8)
        self._run_cron(CRON)
        found = self.env["oms.stock.drift"].search([("product_id", "=", self.lamp.id)])
        self.assertEqual({drift.kind: drift.state for drift in found}, {"shortage": "repaired", "reserved": "repaired"})

    def test_it_goes_on_where_its_time_ran_out(self):
        self.spoil("oms_allocation", self.row, shortage_quantity=2)
        parameter = self.env["ir.config_parameter"].sudo()
        parameter.set_param("oms_allocation.drift_position", str(self.order.id))
        self._run_cron(CRON)
        self.assertEqual((self.row.shortage_quantity, parameter.get_param("oms_allocation.drift_position")), (2, "0"))
        self._run_cron(CRON)
        self.assertEqual(self.row.shortage_quantity, 0)

    def test_overview_says_what_is_open(self):
        self.spoil("oms_allocation", self.row, quantity=7)
        self.check()
        sections = self.env["oms.overview"].with_user(self.user).get_overview()
        tiles = next(section["tiles"] for section in sections if section["key"] == "drift")
        tile = next(tile for tile in tiles if tile["key"] == "planned")
        self.assertEqual(tile["value"], self.env["oms.stock.drift"].search_count(tile["domain"]))

    def test_who_may_check(self):
        self.spoil("oms_allocation", self.row, quantity=7)
        drift = self.check()["planned"]
        for user in (self.user, self.operator, self.accountant):
            self.assertTrue(drift.with_user(user).cause)
            with self.assertRaises(AccessError):
                drift.with_user(user).action_check()
            with self.assertRaises(AccessError):
                self.env["oms.stock.drift"].with_user(user).action_check_now()
        self.env["oms.stock.drift"].with_user(self.manager).action_check_now()
        self.assertTrue(self.env["ir.cron.trigger"].search([("cron_id", "=", self.env.ref(CRON).id)]))

    def test_other_companies_do_not_see_it(self):
        self.spoil("oms_allocation", self.row, quantity=7)
        drift = self.check()["planned"]
        company = self.env["res.company"].create({"name": "Other"})
        stranger = self._create_user("stranger", "oms_base.oms_base_group_user")
        stranger.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        for model in ("oms.stock.drift", "oms.conservation"):
            found = self.env[model].with_user(stranger).search([("order_id", "=", self.order.id)])
            self.assertFalse(found, model)
        self.assertTrue(drift)
