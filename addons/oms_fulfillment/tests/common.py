from odoo.fields import Command

from odoo.addons.oms_base.tests.common import OmsBaseCommon


class FulfillmentCommon(OmsBaseCommon):
    """Two carriers with tariffs and waybill ranges, and products with weights."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mouse.weight, cls.keyboard.weight = 0.2, 1.0
        cls.province = cls.buyer.state_id
        # Carriers of others would be cheaper or not: these tests know theirs only.
        cls.env["oms.carrier.tariff"].search([]).unlink()
        cls.express = cls._create_carrier("Express", "EX", first_price=12.0, step_price=5.0, days=1)
        cls.economy = cls._create_carrier("Economy", "EC", first_price=8.0, step_price=4.0, days=3)

    @classmethod
    def _create_carrier(cls, name, prefix, numbers=1000, **tariff):
        product = cls.env["product.product"].create({"name": f"Delivery {name}", "type": "service", "taxes_id": False})
        carrier = cls.env["delivery.carrier"].create(
            {
                "name": name,
                "delivery_type": "oms_waybill",
                "product_id": product.id,
                "oms_code": f"test_{prefix.lower()}",
                "tracking_url": "https://carrier.test/<shipmenttrackingnumber>",
                "oms_tariff_ids": [Command.create({"country_id": cls.country.id, **tariff})],
            }
        )
        cls._create_range(carrier, prefix=prefix, last=str(numbers))
        return carrier

    @classmethod
    def _create_range(cls, carrier, **values):
        return cls.env["oms.waybill.range"].create(
            {"carrier_id": carrier.id, "digits": 10, "first": "1", "company_id": cls.env.company.id, **values}
        )

    @classmethod
    def _create_delivery(cls, lines=None, **values):
        """Confirm an order and return its reserved delivery."""
        order = cls._create_order(lines, **values)
        order.action_confirm()
        picking = order.picking_ids
        picking.action_assign()
        return picking

    @classmethod
    def _ship(cls, pickings):
        pickings.move_ids.picked = True
        pickings._action_done()
        return pickings.oms_parcel_ids

    def setUp(self):
        super().setUp()
        # A database sequence does not come back with the savepoint between two tests.
        (self.express | self.economy).oms_range_ids.counter_id.number_next_actual = 1
