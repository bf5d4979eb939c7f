from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from .test_delivery_group import DeliveryGroupCommon


@tagged("post_install", "-at_install")
class TestDeliveryGroupSplit(DeliveryGroupCommon):
    """By what an order is split, and what is never split."""

    def _get_parts(self, groups):
        return [{row.product_id: row.quantity for row in group.line_ids} for group in groups.sorted("id")]

    def test_by_shortage(self):
        order = self._create_order([(self.mouse, 12), (self.keyboard, 1)])
        groups = order._oms_split_by_shortage()
        self.assertEqual(self._get_parts(groups), [{self.mouse: 10, self.keyboard: 1}, {self.mouse: 2}])
        order.action_confirm()
        self.assertEqual([group.picking_ids.state for group in groups], ["assigned", "confirmed"])
        enough = self._create_order([(self.keyboard, 1)])
        self.assertFalse(enough._oms_split_by_shortage())

    def test_by_weight_and_value(self):
        self.mouse.weight, self.keyboard.weight = 1.0, 3.0
        order = self._create_order([(self.mouse, 4), (self.keyboard, 1)])
        with self.assertRaisesRegex(UserError, "above zero"):
            order._oms_split_by_weight()
        groups = order._oms_split_by_weight(4.0)
        self.assertTrue(all(group.weight <= 4 for group in groups))
        self.assertEqual(len(groups), 2)
        dear = self._create_order([(self.mouse, 4), (self.keyboard, 1)])
        groups = dear._oms_split_by("value", limit=60)
        self.assertEqual(len(groups), 3)
        self.assertTrue(all(group.amount_total <= 60 for group in groups))
        self.assertEqual(sum(groups.mapped("amount_total")), dear.amount_total)

    def test_by_warehouse(self):
        other = self.env["stock.warehouse"].create({"name": "OMS Other", "code": "OMSOW"})
        order = self._create_order()
        order.order_line[1].warehouse_id = other
        groups = order._oms_split_by_warehouse()
        self.assertEqual(groups.warehouse_id, self.warehouse | other)
        self.assertEqual(self._get_parts(groups), [{self.mouse: 2}, {self.keyboard: 1}])

    def test_presale_waits_for_its_day(self):
        self.keyboard.oms_presale_date = fields.Date.add(fields.Date.today(), days=9)
        order = self._create_order()
        groups = order._oms_split_by_presale()
        self.assertEqual(groups.mapped("is_waiting"), [False, True])
        order.action_confirm()
        self.assertEqual(order.picking_ids.move_ids.product_id, self.mouse)
        self.assertEqual(order.order_line[1]._get_qty_procurement(), 1, "what waits is asked for by nobody")
        self._deliver(order)
        self.assertEqual((order.oms_stage, order.delivery_status), ("part_shipped", "partial"))
        self._run_cron("oms_base.ir_cron_launch_groups")
        self.assertTrue(groups[1].is_waiting)
        groups[1].planned_date = "2020-01-01"
        self._run_cron("oms_base.ir_cron_launch_groups")
        self.assertEqual(groups.mapped("state"), ["shipped", "open"])
        self._deliver(order)
        self.assertEqual((order.oms_stage, order.delivery_status), ("shipped", "full"))

    def test_what_the_shop_promised_goes_before_the_product_s_day(self):
        days = [fields.Date.add(fields.Date.today(), days=days) for days in (0, 5, 9, 12)]
        self.keyboard.oms_presale_date = days[1]
        order = self._create_order(
            [(self.mouse, 2), (self.mouse, 1), (self.keyboard, 1)], oms_presale_ship_date=days[2]
        )
        order.order_line[1].oms_ship_from = days[3]
        groups = order._oms_split_by_presale()
        planned = [group.planned_date and group.planned_date.date() for group in groups]
        self.assertEqual(planned, [False, days[2], days[3]])
        self.assertEqual(groups[1].line_ids.product_id, self.keyboard)

    def test_order_that_waits_as_a_whole_is_not_split(self):
        order = self._create_order(oms_presale_ship_date=fields.Date.add(fields.Date.today(), days=9))
        self.assertFalse(order._oms_split_by_presale())

    def test_a_waiting_part_of_a_held_order_is_not_launched(self):
        order = self._confirm(self._create_order())
        groups = order._oms_split([{order.order_line[1]: 1}], [{"is_waiting": True, "planned_date": "2020-01-01"}])
        order._oms_place_hold("manual", "stop").gate = "allocate"
        self._run_cron("oms_base.ir_cron_launch_groups")
        self.assertTrue(groups[1].is_waiting)

    def test_keep_together_and_smallest_part(self):
        order = self._create_order([(self.mouse, 4), (self.keyboard, 1)])
        order.order_line.oms_keep_together = "set"
        with self.assertRaisesRegex(UserError, "stay together .set."):
            order._oms_split([{order.order_line[0]: 1}])
        self.assertFalse(order._oms_split_by("value", limit=60))
        order.order_line.oms_keep_together = False
        self.channel.split_minimum_value = 30
        with self.assertRaisesRegex(UserError, "worth .*20"):
            order._oms_split([{order.order_line[0]: 1}])
        self.assertEqual(len(order._oms_split([{order.order_line[0]: 2}])), 2)

    def test_never_an_empty_part_nor_more_than_there_is(self):
        order = self._create_order()
        line = order.order_line[0]
        for parts in ([], [{}], [{line: 0}], [{line: 3}], [{line: 2}, {line: 1}], [{line: -1}]):
            with self.assertRaises(UserError):
                order._oms_split(parts)
        everything = {line: line.product_uom_qty for line in order.order_line}
        with self.assertRaisesRegex(UserError, "nothing would be left"):
            order._oms_split([everything])
        self.assertFalse(order.oms_is_grouped)

    def test_groups_follow_the_ordered_quantity(self):
        order = self._confirm(self._create_order([(self.mouse, 6)]))
        line = order.order_line
        groups = order._oms_split([{line: 2}])
        line.product_uom_qty = 7
        self.assertEqual(self._get_parts(groups), [{self.mouse: 4}, {self.mouse: 3}])
        self.assertEqual([sum(group.picking_ids.move_ids.mapped("product_uom_qty")) for group in groups], [4, 3])
        line._action_launch_stock_rule()
        self.assertEqual(sum(line.move_ids.mapped("product_uom_qty")), 7, "launching again adds nothing")
        line.product_uom_qty = 5
        self.assertEqual([sum(group.picking_ids.move_ids.mapped("product_uom_qty")) for group in groups], [4, 1])
        line.product_uom_qty = 4
        self.assertFalse(groups.exists(), "what is one parcel again needs no group")
        self.assertEqual(
            sum(
                order.picking_ids.filtered(lambda p: p.state != "cancel")
                .move_ids.filtered(lambda move: move.state != "cancel")
                .mapped("product_uom_qty")
            ),
            4,
        )

    def test_new_line_goes_with_the_last_open_group(self):
        order = self._confirm(self._create_order([(self.mouse, 6)]))
        groups = order._oms_split([{order.order_line: 2}])
        self.env["sale.order.line"].create({"order_id": order.id, "product_id": self.keyboard.id, "product_uom_qty": 1})
        self.assertEqual(self._get_parts(groups), [{self.mouse: 4}, {self.mouse: 2, self.keyboard: 1}])
        self.assertEqual(groups[1].picking_ids.move_ids.product_id, self.mouse | self.keyboard)

    def test_date_of_a_group_is_the_date_of_its_transfers(self):
        order = self._confirm(self._create_order([(self.mouse, 6)]))
        groups = order._oms_split([{order.order_line: 2}], [{"planned_date": "2099-05-01 12:00:00"}])
        self.assertEqual(str(groups[1].picking_ids.move_ids.date), "2099-05-01 12:00:00")
        groups[1].with_user(self.user).planned_date = "2099-06-01 12:00:00"
        self.assertEqual(str(groups[1].picking_ids.scheduled_date), "2099-06-01 12:00:00")
        self.assertNotEqual(groups[0].picking_ids.scheduled_date, groups[1].picking_ids.scheduled_date)

    def test_wizard_shows_what_it_does(self):
        order = self._confirm(self._create_order([(self.mouse, 6), (self.keyboard, 1)]))
        form = Form(self.env["oms.delivery.split"].with_user(self.user).with_context(default_order_id=order.id))
        self.assertTrue(form.problem)
        with form.line_ids.edit(0) as line:
            self.assertEqual(line.available_quantity, 6)
            line.quantity = 2
        self.assertFalse(form.problem)
        wizard = form.save()
        self.assertEqual(wizard.part_ids.mapped("amount_total"), [130, 40])
        self.assertEqual(sum(wizard.part_ids.mapped("amount_total")), order.amount_total)
        wizard.action_split()
        self.assertEqual(sorted(order.oms_delivery_group_ids.mapped("amount_total")), [40, 130])

    def test_order_in_several_groups_is_split_by_group(self):
        order = self._confirm(self._create_order())
        action = order.action_oms_open_split()
        self.assertEqual(action["context"]["default_order_id"], order.id)
        groups = order._oms_split([{order.order_line[0]: 1}])
        self.assertEqual(len(groups), 2)
        action = order.action_oms_open_split()
        self.assertEqual(self.env[action["res_model"]].search(action["domain"]), groups)

    def test_part_of_a_merged_parcel(self):
        orders = self._confirm(self._create_pair())
        group = orders._oms_merge()
        with Form(self.env["oms.delivery.split"].with_context(default_group_id=group.id)) as form:
            self.assertEqual(form.order_id, orders[0])
            form.order_id = orders[1]
            with form.line_ids.edit(0) as line:
                line.quantity = 1
        form.record.action_split()
        self.assertEqual(len(orders[1].oms_delivery_group_ids), 2)
        self.assertEqual(orders[0].oms_delivery_group_ids, group)
        for order in orders:
            rows = order.oms_group_line_ids
            self.assertEqual(round(sum(rows.mapped("amount_total")), 2), order.amount_total)
