"""The way of an order, stage by stage, through the public business methods; the same for plain Odoo and for ours."""

import random

PRODUCTS = 200
LINES = 3
STOCK = 1_000_000


def seed(env):
    """Three warehouses, 200 products with plenty of stock everywhere, reservation as a stage of its own."""
    warehouse = env["stock.warehouse"].search([], limit=1)
    for code in ("B2", "B3"):
        env["stock.warehouse"].create({"name": f"Bench {code}", "code": code})
    # Automatic batches, which new warehouses come with, would have each transfer join another at random.
    env["stock.picking.type"].search([]).write({"reservation_method": "manual", "auto_batch": False})
    products = make_products(env, PRODUCTS, "BENCH")
    for warehouse in env["stock.warehouse"].search([]):
        set_stock(env, products, warehouse.lot_stock_id, STOCK)
    if "oms.channel" in env:
        env["oms.channel"].create({"name": "Bench", "code": "bench"})


def make_products(env, count, code):
    return env["product.product"].create(
        [
            {
                "name": f"{code} {i}",
                "default_code": f"{code}{i:04}",
                "is_storable": True,
                "weight": 0.5,
                "list_price": 20 + i % 37,
                "standard_price": 5 + i % 11,
                "invoice_policy": "order",
            }
            for i in range(count)
        ]
    )


def set_stock(env, products, location, quantity):
    quants = env["stock.quant"].with_context(inventory_mode=True)
    quants.create(
        [{"product_id": product.id, "location_id": location.id, "inventory_quantity": quantity} for product in products]
    ).action_apply_inventory()


class Flow:
    """One batch of orders on its way. The stages are methods in the order of ``STAGES``; each takes an environment."""

    STAGES = ("partner", "create", "review", "confirm", "reserve", "validate", "invoice", "post")

    def __init__(self, first, size):
        self.first, self.size = first, size
        self.partners = self.orders = self.moves = ()

    def run(self, stage, env):
        getattr(self, stage)(env)

    def partner(self, env):
        country, state = env.ref("base.us"), env.ref("base.state_us_5")
        self.partners = (
            env["res.partner"]
            .create(
                [
                    {
                        "name": f"Customer {i}",
                        "email": f"c{i}@example.com",
                        "phone": f"+1 217 {2000000 + i % 8000000}",
                        "street": f"{i} Main Street",
                        "city": "Springfield",
                        "zip": f"{10000 + i % 80000}",
                        "country_id": country.id,
                        "state_id": state.id,
                    }
                    for i in range(self.first, self.first + self.size)
                ]
            )
            .ids
        )

    def create(self, env):
        rng = random.Random(self.first)
        products = env["product.product"].search([("default_code", "=like", "BENCH%")]).ids
        warehouses = env["stock.warehouse"].search([]).ids
        channel = "oms.channel" in env and env["oms.channel"].search([("code", "=", "bench")])
        extra = {"channel_id": channel.id} if channel else {}
        self.orders = (
            env["sale.order"]
            .create(
                [
                    {
                        "partner_id": partner,
                        "client_order_ref": f"CH-{self.first + i}",
                        "warehouse_id": warehouses[i % len(warehouses)],
                        **extra,
                        "order_line": [
                            (
                                0,
                                0,
                                {
                                    "product_id": product,
                                    "product_uom_qty": rng.randint(1, 3),
                                    "price_unit": rng.randint(1000, 5000) / 100,
                                },
                            )
                            for product in rng.sample(products, LINES)
                        ],
                    }
                    for i, partner in enumerate(self.partners)
                ]
            )
            .ids
        )

    def review(self, env):
        if "oms.rule" in env:
            env["sale.order"].browse(self.orders)._oms_review()

    def confirm(self, env):
        orders = env["sale.order"].browse(self.orders)
        orders.action_confirm()
        assert set(orders.mapped("state")) == {"sale"}, orders.mapped("state")

    def reserve(self, env):
        pickings = env["sale.order"].browse(self.orders).picking_ids
        pickings.action_assign()
        assert set(pickings.mapped("state")) == {"assigned"}, pickings.mapped("state")

    def validate(self, env):
        pickings = env["sale.order"].browse(self.orders).picking_ids
        done = pickings.with_context(skip_sms=True).button_validate()
        assert done is True and set(pickings.mapped("state")) == {"done"}, done

    def invoice(self, env):
        self.moves = env["sale.order"].browse(self.orders)._create_invoices().ids
        assert len(self.moves) == self.size

    def post(self, env):
        moves = env["account.move"].browse(self.moves)
        moves.action_post()
        assert set(moves.mapped("state")) == {"posted"}
