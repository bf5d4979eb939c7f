from contextlib import contextmanager
from unittest.mock import patch

from passlib.context import CryptContext

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.models import BaseModel
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, HttpCase, TransactionCase, get_db_name, new_test_user


class RealTransactionsCase(BaseCase):
    """Real transactions side by side, each by a connection of its own. What they commit, the test takes away again."""

    @contextmanager
    def _cursor(self):
        """Yield an environment with a cursor that commits at the end."""
        with Registry(get_db_name()).cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {"tracking_disable": True})


class HootCase(HttpCase):
    """The JavaScript units of an addon, in HOOT."""

    def _run_hoot(self, addon):
        """Run the units of one addon."""
        self.browser_js(
            f"/web/tests?headless&loglevel=2&preset=desktop&timeout=15000&id={self._get_hoot_id(f'@{addon}')}",
            "",
            "",
            login="admin",
            timeout=600,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=lambda message: "[HOOT]" not in message,
        )

    @staticmethod
    def _get_hoot_id(suite):
        """Return HOOT's id of a suite; its text filter is fuzzy and would run far more."""
        value = 0
        for char in suite:
            value = ((value << 5) - value + ord(char)) & 0xFFFFFFFF
        return f"{value:08x}"


class OmsBaseCommon(TransactionCase):
    """A channel with a warehouse, two products and buyers of its own; users of each group.

    Each class makes them anew, unless the database is the tests' own and they were made for good (`keep_company`).
    """

    kept = {}  # {attribute: (model, ids)}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tracking_disable=True))
        if not cls.kept:
            cls._create_company()
        for name, (model, ids) in cls.kept.items():
            setattr(cls, name, cls.env[model].browse(ids))

    @classmethod
    def keep_company(cls, env):
        """Make for good what most classes begin with: who calls this commits it."""

        class Company(OmsBaseCommon):
            pass

        Company.env = env(context=dict(env.context, tracking_disable=True))
        quick = CryptContext(["pbkdf2_sha512"], pbkdf2_sha512__rounds=1)  # as in TransactionCase
        with patch.object(type(env["res.users"]), "_crypt_context", lambda users: quick):
            Company._create_company()
        OmsBaseCommon.kept = {
            name: (value._name, value.ids) for name, value in vars(Company).items() if isinstance(value, BaseModel)
        }

    @classmethod
    def _create_company(cls):
        cls.warehouse = cls.env["stock.warehouse"].create({"name": "OMS Test", "code": "OMSTW"})
        cls.channel = cls.env["oms.channel"].create(
            {"name": "Test Shop", "code": "test_shop", "warehouse_ids": [Command.set(cls.warehouse.ids)]}
        )
        cls.mouse, cls.keyboard = cls.env["product.product"].create(
            [
                {
                    "name": "Mouse",
                    "default_code": "OMS-MOUSE",
                    "is_storable": True,
                    "list_price": 20.0,
                    "taxes_id": False,
                },
                {
                    "name": "Keyboard",
                    "default_code": "OMS-KEYB",
                    "is_storable": True,
                    "list_price": 50.0,
                    "taxes_id": False,
                },
            ]
        )
        cls._set_stock(cls.mouse, 10)
        cls._set_stock(cls.keyboard, 10)
        cls.country = cls.env.ref("base.cn")
        cls.buyer = cls._create_buyer("张三")
        cls.user = cls._create_user("oms_user", "oms_base.oms_base_group_user")
        cls.operator = cls._create_user("oms_operator", "oms_base.oms_base_group_warehouse")
        cls.accountant = cls._create_user("oms_accountant", "oms_base.oms_base_group_accountant")
        cls.manager = cls._create_user("oms_manager", "oms_base.oms_base_group_manager")

    @classmethod
    def _create_user(cls, login, groups):
        return new_test_user(cls.env, login=login, groups=f"base.group_user,{groups}")

    @classmethod
    def _create_buyer(cls, name, **values):
        return cls.env["res.partner"].create(
            {
                "name": name,
                "street": "文三路 90 号",
                "city": "杭州市",
                "zip": "310012",
                "state_id": cls.env.ref("base.state_cn_ZJ").id,
                "country_id": cls.country.id,
                "phone": "+86 138 0000 0000",
                **values,
            }
        )

    @classmethod
    def _set_stock(cls, product, quantity, warehouse=None):
        """Set what is on hand of a product in a warehouse's stock location, by an inventory count."""
        location = (warehouse or cls.warehouse).lot_stock_id
        cls.env["stock.quant"].with_context(inventory_mode=True).create(
            {"product_id": product.id, "location_id": location.id, "inventory_quantity": quantity}
        ).action_apply_inventory()

    @classmethod
    def _prepare_order_values(cls, lines=None, **values):
        """Return the values of an order; ``lines`` is a list of (product, quantity)."""
        return {
            "partner_id": cls.buyer.id,
            "channel_id": cls.channel.id,
            "warehouse_id": cls.warehouse.id,
            "order_line": [
                Command.create({"product_id": product.id, "product_uom_qty": quantity})
                for product, quantity in lines or [(cls.mouse, 2), (cls.keyboard, 1)]
            ],
            **values,
        }

    @classmethod
    def _create_order(cls, lines=None, **values):
        return cls.env["sale.order"].create(cls._prepare_order_values(lines, **values))

    @classmethod
    def _create_rule(cls, domain, hold_type="oms_base.oms_hold_type_manual", actions=None, **values):
        """Create a live rule that puts a hold, or does ``actions`` (list of values)."""
        actions = actions or [{"type": "hold", "hold_type_id": cls.env.ref(hold_type).id}]
        return cls.env["oms.rule"].create(
            {
                "name": "Large order",
                "domain": domain,
                "state": "live",
                "tz": "UTC",
                "action_ids": [Command.create(action) for action in actions],
                **values,
            }
        )

    def _deliver(self, order):
        """Pick and validate all open transfers of an order, as with the button."""
        for picking in order.picking_ids.filtered(lambda picking: picking.state not in ("done", "cancel")):
            for move in picking.move_ids:
                move.quantity = move.product_uom_qty
            picking.move_ids.picked = True
            picking.with_context(skip_sms=True).button_validate()

    def _run_cron(self, xmlid):
        """Run a scheduled action as the scheduler would, on this test's own data."""
        # It gives a job ten seconds, and what is left waits for the next run: a busy machine takes them for nothing.
        time_for_all = patch("odoo.addons.base.models.ir_cron.MIN_TIME_PER_JOB", 60)
        with self.enter_registry_test_mode(), time_for_all:
            self.env.ref(xmlid).method_direct_trigger()
        self.env.invalidate_all()
