"""The doors to ship an order on hold, with batches and packages; see `oms_base/tests/test_no_bypass.py`."""

from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.test_no_bypass import DoorsCommon


@tagged("post_install", "-at_install")
class TestBatchDoors(DoorsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.held, cls.free = cls._create_order(), cls._create_order()
        (cls.held | cls.free).action_confirm()
        cls.held._oms_place_hold("manual", "stop this parcel")

    def _batch(self, pickings):
        for picking in pickings:
            for move in picking.move_ids:
                move.quantity = move.product_uom_qty
            picking.move_ids.picked = True
        values = {"picking_type_id": pickings.picking_type_id.id, "picking_ids": [Command.set(pickings.ids)]}
        batch = self.env["stock.picking.batch"].with_env(pickings.env).create(values)
        batch.action_confirm()
        return batch.with_context(skip_sms=True)

    def door_batch(self, pickings):
        self._batch(pickings).action_done()

    def door_wave(self, pickings):
        self._batch(pickings)
        pickings.move_line_ids._add_to_wave()
        pickings.batch_id.with_context(skip_sms=True).action_done()

    def door_packed(self, pickings):
        pickings.move_ids.picked = True
        for picking in pickings:
            picking.action_put_in_pack()
        pickings.with_context(skip_sms=True).button_validate()

    def test_batch_ships_nothing_held(self):
        held, doors = self.held.picking_ids, [self.door_batch, self.door_wave, self.door_packed]
        self._check_doors(doors, held, lambda: held.state == "done")
        both = (self.held | self.free).picking_ids
        self._check_doors([self.door_batch], both, lambda: held.state == "done")

    def test_batch_of_a_free_order_leaves(self):
        free = self.free.picking_ids
        self._check_doors(
            [self.door_batch, self.door_packed], free, lambda: free.state == "done", True, users=[self.admin]
        )
