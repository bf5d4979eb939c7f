"""Every door to confirm, release and ship an order on hold, tried by everybody; and opened by an order that is free."""

import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.oms_base.tests.common import OmsBaseCommon

# A signature: a picture of one point.
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Undo(Exception):
    """Takes back what a door did."""


class DoorsCommon(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.env.ref("base.user_admin")
        # Who sells and ships by Odoo itself, and knows nothing of the suite.
        cls.outsider = cls._create_user("oms_outsider", "sales_team.group_sale_manager,stock.group_stock_manager")
        cls.users = [cls.user, cls.operator, cls.accountant, cls.manager, cls.outsider, cls.admin, cls.env.user]
        cls.channel.auto_confirm = True

    def _opens(self, door, record, is_open):
        """Return whether ``door(record)`` gets ``record`` where ``is_open()`` says, and undo it."""
        opened = self.refusal = None
        try:
            with self.env.cr.savepoint():
                try:
                    with self.env.cr.savepoint():
                        door(record)
                        self.env.flush_all()
                except UserError as error:  # a refusal of access is one too
                    self.refusal = str(error)
                self.env.invalidate_all()
                opened = is_open()
                raise Undo
        except Undo:
            self.env.invalidate_all()
        return opened

    def _check_doors(self, doors, record, is_open, expected=False, users=None):
        for user in users or self.users:
            for door in doors:
                with self.subTest(door=door.__name__, user=user.login):
                    self.assertIs(self._opens(door, record.with_user(user), is_open), expected, self.refusal)

    def _run_server_action(self, record, code):
        """Run code as an automation of another addon or a mass action would."""
        action = (
            self.env["ir.actions.server"]
            .sudo()
            .create(
                {
                    "name": "Door",
                    "model_id": self.env["ir.model"]._get_id(record._name),
                    "state": "code",
                    "code": code,
                    "group_ids": [Command.clear()],
                }
            )
        )
        context = {"active_model": record._name, "active_ids": record.ids, "active_id": record.id}
        action.with_env(record.env).with_context(**context).run()


@tagged("post_install", "-at_install")
class TestConfirmDoors(DoorsCommon):
    """The gate "confirm"."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.held = cls._create_order()
        cls.held._oms_review()
        cls.held._oms_place_hold("address", "stop")
        cls.free = cls._create_order()
        cls.plain = cls._create_order(channel_id=False)
        cls.provider = cls.env["payment.provider"].create({"name": "Door"})

    # === DOORS === #

    def door_button(self, order):
        order.action_confirm()

    def door_rpc(self, order):
        call_kw(order.browse(), "action_confirm", [order.ids], {})

    def door_rpc_of_private_method(self, order):
        with self.assertRaises(AccessError):
            call_kw(order.browse(), "_action_confirm", [order.ids], {})

    def door_sent_first(self, order):
        order.action_quotation_sent()
        order.action_confirm()

    def door_state_over_rpc(self, order):
        call_kw(order.browse(), "write", [order.ids, {"state": "sale"}], {})

    def door_form_save(self, order):
        order.web_save({"state": "sale"}, {"state": {}})

    def door_import(self, order):
        result = order.browse().load([".id", "state"], [[str(order.id), "sale"]])
        if not result["ids"]:
            raise UserError(str(result["messages"]))

    def door_validate_order(self, order):
        order._validate_order()

    def door_private_method(self, order):
        order._action_confirm()
        order.state = "sale"

    def door_server_action(self, order):
        self._run_server_action(order, "records.action_confirm()")

    def door_automation(self, order):
        self._run_server_action(order, "records.write({'state': 'sale'})\nrecords._action_confirm()")

    def door_payment(self, order):
        tx = self.env["payment.transaction"].create(
            {
                "provider_id": self.provider.id,
                "payment_method_id": self.env.ref("payment.payment_method_unknown").id,
                "amount": order.sudo().amount_total,
                "currency_id": order.sudo().currency_id.id,
                "partner_id": order.sudo().partner_id.id,
                "reference": "door",
                "operation": "offline",
                "sale_order_ids": [Command.set(order.ids)],
                "state": "done",
            }
        )
        tx.with_user(order.env.user).sudo()._check_amount_and_confirm_order()

    # The following are no doors of Odoo, but ways to get rid of the hold.

    def way_without_channel(self, order):
        order.channel_id = False
        order.action_confirm()

    def way_without_review(self, order):
        order.write({"oms_review_date": "2099-01-01 00:00:00", "oms_pending_parts": False})
        order.action_confirm()

    def way_over_cancellation(self, order):
        order._action_cancel()
        order.action_draft()
        order.action_confirm()

    def way_over_cancellation_in_one_write(self, order):
        order._action_cancel()
        order.state = "sale"

    def way_with_context(self, order):
        order.with_context(oms_in_review=True, skip_procurement=True, import_file=True).action_confirm()

    def way_over_lines(self, order):
        order.order_line[0].state = "sale"
        order.order_line._action_launch_stock_rule()

    @property
    def doors(self):
        return [getattr(self, name) for name in dir(self) if name.startswith("door_")]

    @property
    def ways(self):
        return [getattr(self, name) for name in dir(self) if name.startswith("way_")]

    # === TESTS === #

    @mute_logger("odoo.addons.sale.models.sale_order")
    def test_held_order_is_not_confirmed(self):
        def is_open():
            return self.held.state == "sale" or bool(self.held.picking_ids)

        self._check_doors([*self.doors, *self.ways], self.held, is_open)

    def test_free_and_plain_orders_are(self):
        closed_to_all = {"door_rpc_of_private_method"}
        doors = [door for door in self.doors if door.__name__ not in closed_to_all]
        for order in (self.free, self.plain):
            self._check_doors(doors, order, lambda order=order: order.state == "sale", True, users=[self.admin])

    def test_created_as_confirmed(self):
        self._create_rule("[('amount_total', '>', 10)]", "oms_base.oms_hold_type_address")
        for user in self.users:
            before = self.env["sale.order"].search_count([])
            with self.assertRaises(UserError), self.env.cr.savepoint():
                self.env["sale.order"].with_user(user).create(self._prepare_order_values(state="sale"))
            self.assertEqual(self.env["sale.order"].search_count([]), before)
        self.assertEqual(self._create_order(state="sale", channel_id=False).state, "sale")

    def test_reopened_order_gets_its_hold_back(self):
        order = self._create_order()
        order._oms_review()
        hold = order._oms_place_hold("address", "call the buyer")
        order._action_cancel()
        self.assertEqual(hold.state, "released")
        order.with_user(self.user).action_draft()
        active = order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        self.assertEqual((active.type_id.code, active.reason), ("address", "call the buyer"))
        active.with_user(self.manager).action_release("called")
        order._action_cancel()
        order.action_draft()
        self.assertFalse(order.oms_hold_ids.filtered(lambda hold: hold.state == "active"))

    def test_cron_leaves_held_orders(self):
        for lane in (0, 1):
            self._run_cron(f"oms_base.ir_cron_review_lane_{lane}")
        self._run_cron("sale.send_pending_emails_cron")
        self._run_cron("stock.ir_cron_scheduler_action")
        self.assertEqual((self.held.state, self.free.state), ("draft", "sale"))

    def test_mass_confirmation_leaves_the_held_one(self):
        orders = self.held | self.free | self.plain
        orders.with_user(self.manager).action_confirm()
        self.assertEqual(orders.mapped("state"), ["draft", "sale", "sale"])

    def test_change_is_not_hidden_by_the_context(self):
        self._create_rule("[('order_line.product_uom_qty', '>', 8)]", "oms_base.oms_hold_type_address")
        self.free._oms_review()
        line = self.free.with_user(self.user).with_context(oms_in_review=True).order_line[0]
        line.product_uom_qty = 9
        self.free.with_user(self.user).action_confirm()
        self.assertEqual((self.free.state, self.free.oms_hold_ids.state), ("draft", "active"))


@tagged("post_install", "-at_install")
class TestUnjudgedDoors(DoorsCommon):
    """Ways around the judging itself: the order is held only once it is judged."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._create_rule("[('amount_total', '>', 100)]", "oms_base.oms_hold_type_address")
        cls.unjudged = cls._create_order([(cls.keyboard, 5)])
        cls.judged = cls._create_order([(cls.keyboard, 1)])
        cls.judged._oms_review()
        cls.bought = cls._create_order([(cls.keyboard, 1)], channel_order_id="42")
        cls.bought._oms_review()

    def way_button(self, order):
        order.action_confirm()

    def way_without_channel(self, order):
        order.channel_id = False
        order.order_line[0].product_uom_qty = 5
        order.action_confirm()

    def way_over_another_channel(self, order):
        order.channel_id = order.channel_id.sudo().copy({"code": "other"})
        order.order_line[0].product_uom_qty = 5
        order.action_confirm()

    def way_over_the_stage_number(self, order):
        order.write({"oms_stage_number": 70})
        order.order_line[0].product_uom_qty = 5
        order.action_confirm()

    def way_over_a_change(self, order):
        order.order_line[0].product_uom_qty = 5
        order.action_confirm()

    def test_unjudged_order_is_not_confirmed(self):
        ways = [self.way_button, self.way_without_channel]
        self._check_doors(ways, self.unjudged, lambda: self.unjudged.state == "sale")

    def test_judged_order_does_not_get_around_what_it_becomes(self):
        for order in (self.judged, self.bought):
            ways = [self.way_over_the_stage_number, self.way_over_a_change, self.way_over_another_channel]
            users = [user for user in self.users if user != self.env.user]
            self._check_doors(ways, order, lambda order=order: order.state == "sale", users=users)

    def test_what_was_bought_in_a_shop_stays_an_order_of_it(self):
        for user in (self.user, self.manager, self.admin):
            with self.assertRaisesRegex(UserError, "came from a shop"):
                self.bought.with_user(user).channel_id = False
        self.judged.with_user(self.user).channel_id = False
        self.assertFalse(self.judged.channel_id)

    def test_context_and_defaults_do_not_hide_an_order(self):
        kept = self.env["sale.order"]._oms_get_kept_fields()
        self.assertLessEqual(
            {
                *("oms_review_date", "oms_pending_parts", "oms_changes", "oms_is_launch_pending", "oms_stage"),
                *("oms_stage_number", "oms_address_key", "oms_buyer_key", "oms_phone_key", "oms_coupon_key"),
                "oms_is_grouped",
            },
            kept,
        )
        context = {f"default_{name}": "2099-01-01" if name == "oms_review_date" else 70 for name in kept}
        self.env["ir.default"].with_user(self.manager).sudo().set(
            "sale.order", "oms_review_date", "2099-01-01", user_id=self.manager.id
        )
        for user in (self.user, self.manager, self.admin):
            values = self._prepare_order_values([(self.keyboard, 5)])
            Order = self.env["sale.order"].with_user(user)
            order = Order.browse(call_kw(Order, "create", [values], {"context": {**self.env.context, **context}}))
            self.assertFalse(order.oms_review_date)
            self.assertEqual(order.oms_stage, "new")
            order.with_user(user).action_confirm()
            self.assertEqual((order.state, order.oms_hold_ids.type_id.code), ("draft", "address"))

    def test_kept_fields_are_not_written_over_rpc(self):
        for name in self.env["sale.order"]._oms_get_kept_fields():
            for user in (self.user, self.manager, self.admin):
                with self.subTest(field=name, user=user.login), self.assertRaises(AccessError):
                    call_kw(self.judged.with_user(user).browse(), "write", [self.judged.ids, {name: False}], {})

    def test_mass_confirmation_by_everybody(self):
        for user in self.users:
            orders = (self.unjudged | self.judged).with_user(user)
            with self.subTest(user=user.login):
                self.assertIs(
                    self._opens(lambda orders: orders.action_confirm(), orders, lambda: self.unjudged.state == "sale"),
                    False,
                )


class ShipDoorsCommon(DoorsCommon):
    """Doors of a transfer, all with its quantities filled in."""

    def _fill(self, picking):
        for move in picking.move_ids:
            move.quantity = move.product_uom_qty
        picking.move_ids.picked = True

    def door_button(self, picking):
        self._fill(picking)
        picking.with_context(skip_sms=True).button_validate()

    def door_rpc(self, picking):
        self._fill(picking)
        call_kw(picking.browse(), "button_validate", [picking.ids], {"context": {"skip_sms": True}})

    def door_button_without_quantities(self, picking):
        picking.with_context(skip_sms=True, skip_backorder=True).button_validate()

    def door_part_without_backorder(self, picking):
        picking.move_ids[0].write({"quantity": 1, "picked": True})
        picking.with_context(
            skip_sms=True, skip_backorder=True, picking_ids_not_to_backorder=picking.ids
        ).button_validate()

    def door_backorder_wizard(self, picking):
        picking.move_ids[0].write({"quantity": 1, "picked": True})
        wizard = self.env["stock.backorder.confirmation"].with_env(picking.env)
        values = {
            "pick_ids": [Command.set(picking.ids)],
            "backorder_confirmation_line_ids": [Command.create({"to_backorder": True, "picking_id": picking.id})],
        }
        wizard.create(values).with_context(button_validate_picking_ids=picking.ids, skip_sms=True).process()

    def door_assign_and_done(self, picking):
        picking.action_assign()
        self._fill(picking)
        picking._action_done()

    def door_moves_done(self, picking):
        self._fill(picking)
        picking.move_ids._action_done()

    def door_lines_done(self, picking):
        self._fill(picking)
        picking.move_ids.move_line_ids._action_done()
        picking.move_ids.write({"state": "done"})

    def door_state_of_moves(self, picking):
        picking.move_ids.write({"state": "done"})

    def door_scans(self, picking):
        for line in picking.move_line_ids:
            line.write({"quantity": line.quantity, "picked": True})
        picking.with_context(skip_sms=True).button_validate()

    def door_server_action(self, picking):
        self._fill(picking)
        self._run_server_action(picking, "records.with_context(skip_sms=True).button_validate()")

    def door_automation(self, picking):
        self._fill(picking)
        self._run_server_action(picking, "records.move_ids._action_done()")

    @property
    def doors(self):
        return [getattr(self, name) for name in dir(self) if name.startswith("door_")]

    @property
    def ways(self):
        return [getattr(self, name) for name in dir(self) if name.startswith("way_")]


@tagged("post_install", "-at_install")
class TestShipDoors(ShipDoorsCommon):
    """The gate "ship": the hold came after the confirmation."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.held, cls.free = cls._create_order(), cls._create_order()
        cls.plain = cls._create_order(channel_id=False)
        (cls.held | cls.free | cls.plain).action_confirm()
        cls.held._oms_place_hold("manual", "stop this parcel")

    def way_state_of_the_transfer(self, picking):
        picking.write({"state": "done"})

    def way_without_channel(self, picking):
        picking.sudo().sale_id.with_user(picking.env.user).channel_id = False
        self.door_button(picking)

    def way_without_order(self, picking):
        picking.sale_id = False
        self.door_button(picking)

    def way_without_line(self, picking):
        picking.move_ids.sale_line_id = False
        self.door_button(picking)

    def way_over_an_internal_transfer(self, picking):
        picking.picking_type_id = self.warehouse.int_type_id
        picking.location_dest_id = self.env.ref("stock.stock_location_customers")
        picking.move_ids.location_dest_id = picking.location_dest_id
        self.door_button(picking)

    def way_by_hand(self, picking):
        """A transfer of the same goods made by hand for the order."""
        sale, move = picking.sudo().sale_id, picking.sudo().move_ids[0]
        other = picking.create(
            {
                "picking_type_id": self.warehouse.out_type_id.id,
                "location_id": self.warehouse.lot_stock_id.id,
                "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": move.product_id.id,
                            "product_uom_qty": 1,
                            "quantity": 1,
                            "picked": True,
                            "location_id": self.warehouse.lot_stock_id.id,
                            "location_dest_id": self.env.ref("stock.stock_location_customers").id,
                        }
                    )
                ],
            }
        )
        other.sale_id = sale.id
        self.door_button(other)

    def _is_shipped(self, order):
        pickings = order.picking_ids
        return any(
            (
                any(picking.state == "done" for picking in pickings),
                any(move.state == "done" for move in order.order_line.move_ids),
                any(line.qty_delivered for line in order.order_line),
                sum(self.mouse.with_context(location=self.warehouse.lot_stock_id.id).mapped("qty_available")) < 10,
            )
        )

    def test_held_order_is_not_shipped(self):
        self._check_doors([*self.doors, *self.ways], self.held.picking_ids, lambda: self._is_shipped(self.held))

    def test_free_and_plain_orders_are(self):
        for order in (self.free, self.plain):
            self._check_doors(
                self.doors, order.picking_ids, lambda order=order: self._is_shipped(order), True, users=[self.admin]
            )

    def test_transfer_of_two_orders(self):
        """Transfers of a held and a free order together ship neither: nobody overlooks the parcel to take out."""
        pickings = (self.held | self.free).picking_ids
        self._check_doors([self.door_button], pickings, lambda: any(picking.state == "done" for picking in pickings))

    def test_nothing_is_added_to_what_left(self):
        order = self._create_order([(self.mouse, 1)])
        order.action_confirm()
        self._deliver(order)
        move = order.picking_ids.move_ids
        order._oms_place_hold("manual", "stop the rest")
        line = move.move_line_ids
        values = {"move_id": move.id, "picking_id": move.picking_id.id, "product_id": self.mouse.id, "quantity": 1}
        for user in self.users:
            with self.assertRaises(UserError), self.env.cr.savepoint():
                line.with_user(user).quantity = 3
            with self.assertRaises(UserError), self.env.cr.savepoint():
                line.with_user(user).create(values)
        self.assertEqual(move.quantity, 1)

    def test_return_comes_in_whatever_holds_the_order(self):
        self._deliver(self.free)
        self.free._oms_place_hold("manual", "complaint")
        picking = self.free.picking_ids
        wizard = (
            self.env["stock.return.picking"].with_context(active_id=picking.id, active_model="stock.picking").create({})
        )
        wizard.product_return_moves.quantity = 1
        returned = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        self.door_button(returned)
        self.assertEqual(returned.state, "done")

    def test_scheduler_ships_nothing(self):
        self._run_cron("stock.ir_cron_scheduler_action")
        self.assertFalse(self._is_shipped(self.held))


@tagged("post_install", "-at_install")
class TestReleaseDoors(ShipDoorsCommon):
    """The gate "release": picking in a warehouse of two steps."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouse.delivery_steps = "pick_ship"
        cls.held, cls.free = cls._create_order(), cls._create_order()
        (cls.held | cls.free).action_confirm()
        cls.held._oms_place_hold("manual", "wait").gate = "release"

    def test_held_order_is_not_picked(self):
        picking = self.held.picking_ids
        self.assertEqual(picking.picking_type_code, "internal")
        self._check_doors(
            [*self.doors, *self.ways], picking, lambda: "done" in self.held.picking_ids.move_ids.mapped("state")
        )

    def test_free_order_is(self):
        self._check_doors(
            self.doors,
            self.free.picking_ids,
            lambda: "done" in self.free.picking_ids.move_ids.mapped("state"),
            True,
            users=[self.admin],
        )

    def start_by_printing(self, picking):
        picking.do_print_picking()

    def start_by_printing_over_rpc(self, picking):
        call_kw(picking.browse(), "write", [picking.ids, {"printed": True}], {})

    def start_by_moves(self, picking):
        picking.move_ids.picked = True

    def start_by_a_line(self, picking):
        picking.move_line_ids[0].write({"picked": True, "quantity": 1})

    def start_by_a_new_line(self, picking):
        move = picking.move_ids[0]
        values = {"move_id": move.id, "picking_id": picking.id, "product_id": move.product_id.id}
        move.move_line_ids.create({**values, "quantity": 1, "picked": True})

    def test_work_on_a_held_order_does_not_begin(self):
        starts = [getattr(self, name) for name in dir(self) if name.startswith("start_")]
        picking = self.held.picking_ids
        self._check_doors(starts, picking, picking._oms_is_released)
        self.assertIn("on hold", self.refusal)
        picking = self.free.picking_ids
        self._check_doors(starts, picking, picking._oms_is_released, True, users=[self.admin])

    def test_what_may_only_not_leave_is_picked(self):
        self.held.oms_hold_ids.gate = "ship"
        self.door_button(self.held.picking_ids)
        delivery = self.held.picking_ids.filtered(lambda picking: picking.picking_type_code == "outgoing")
        self._check_doors([self.door_button, self.door_moves_done], delivery, lambda: delivery.state == "done")


@tagged("post_install", "-at_install")
class TestHttpDoors(DoorsCommon, HttpCase):
    """Doors with an address: the JSON-2 API, and the buyer's page of the order."""

    def _post(self, path, login, body):
        user = self.env["res.users"].search([("login", "=", login)])
        key = (
            self.env["res.users.apikeys"]
            .with_user(user)
            .sudo()
            ._generate("rpc", "door", fields.Datetime.now() + timedelta(hours=1))
        )
        headers = {"Authorization": f"bearer {key}", "Content-Type": "application/json"}
        return self.url_open(path, data=json.dumps(body), headers=headers)

    @mute_logger("odoo.http")
    def test_json_2(self):
        held, free = self._create_order(), self._create_order()
        held._oms_place_hold("address", "stop")
        portal = new_test_user(self.env, "oms_portal", "base.group_portal")
        for user in (*self.users[:-1], portal):
            for method, body in (
                ("action_confirm", {}),
                ("write", {"vals": {"state": "sale"}}),
                ("_action_confirm", {}),
            ):
                with self.subTest(user=user.login, method=method):
                    self._post(f"/json/2/sale.order/{method}", user.login, {"ids": held.ids, **body})
                    self.assertEqual(held.state, "draft")
        answer = self._post("/json/2/sale.order/action_confirm", self.manager.login, {"ids": free.ids})
        self.assertEqual((answer.status_code, free.state), (200, "sale"))

    @mute_logger("odoo.http")
    def test_json_2_release(self):
        hold = self._create_order()._oms_place_hold("credit", "owes")
        plain = self._create_user("oms_plain", "base.group_user")
        portal = new_test_user(self.env, "oms_portal", "base.group_portal")
        for user in (self.user, self.operator, plain, portal):
            for method, body in (
                ("action_release", {"comment": "mine"}),
                ("write", {"vals": {"state": "released"}}),
                ("_release", {}),
                ("unlink", {}),
            ):
                with self.subTest(user=user.login, method=method):
                    answer = self._post(f"/json/2/oms.hold/{method}", user.login, {"ids": hold.ids, **body})
                    self.assertNotEqual(answer.status_code, 200)
                    self.assertEqual(hold.state, "active")
        self._post("/json/2/oms.hold/action_release", self.accountant.login, {"ids": hold.ids, "comment": "paid"})
        self.assertEqual(hold.state, "released")

    @mute_logger("odoo.http")
    def test_json_2_ship(self):
        held = self._create_order()
        held.action_confirm()
        held._oms_place_hold("manual", "stop")
        picking = held.picking_ids
        for user in self.users[:-1]:
            for model, method, body in (
                ("stock.picking", "button_validate", {"ids": picking.ids, "context": {"skip_sms": True}}),
                ("stock.move", "write", {"ids": picking.move_ids.ids, "vals": {"state": "done"}}),
                ("stock.picking", "write", {"ids": picking.ids, "vals": {"state": "done"}}),
            ):
                with self.subTest(user=user.login, method=method):
                    self._post(f"/json/2/{model}/{method}", user.login, body)
                    self.assertNotIn("done", (picking.state, *picking.move_ids.mapped("state")))

    def test_buyer_accepts_online(self):
        held, free = self._create_order(require_signature=True), self._create_order(require_signature=True)
        (held | free).write({"require_payment": False, "state": "sent"})
        held._oms_place_hold("address", "stop")
        for order, state in ((held, "sent"), (free, "sale")):
            answer = self.make_jsonrpc_request(
                f"/my/orders/{order.id}/accept",
                {"access_token": order._portal_ensure_token(), "name": "张三", "signature": PIXEL},
                timeout=60,
            )
            self.assertNotIn("error", answer)
            self.assertEqual(order.state, state)
