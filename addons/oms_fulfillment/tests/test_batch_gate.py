from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestBatchGate(FulfillmentCommon):
    """The gate "release" of batches, which the warehouse picks from."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.held, cls.free = cls._create_delivery(), cls._create_delivery()
        cls.held.sale_id._oms_place_hold("manual", "wait").gate = "release"

    def _create_batch(self, pickings):
        return (
            self.env["stock.picking.batch"]
            .with_user(self.operator)
            .create({"picking_ids": [Command.set(pickings.ids)], "picking_type_id": pickings.picking_type_id.id})
        )

    def test_batch_with_a_held_order_is_not_started(self):
        batch = self._create_batch(self.held | self.free)
        with self.assertRaisesRegex(UserError, "on hold"):
            batch.action_confirm()
        self.held.with_user(self.operator).batch_id = False
        batch.action_confirm()
        self.assertEqual(batch.state, "in_progress")
        with self.assertRaisesRegex(UserError, "on hold"):
            self.held.with_user(self.operator).batch_id = batch

    def test_batches_made_by_themselves_take_no_held_order(self):
        self.held.picking_type_id.write(
            {"auto_batch": True, "batch_group_by_partner": True, "batch_auto_confirm": True}
        )
        (self.held | self.free).batch_id = False
        batch = self.free._find_auto_batch()
        self.assertEqual((batch.state, batch.picking_ids), ("in_progress", self.free))
        self.assertFalse(self.held._find_auto_batch())
