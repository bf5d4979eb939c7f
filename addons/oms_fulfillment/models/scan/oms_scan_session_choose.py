from psycopg2.errors import UniqueViolation

from odoo import fields, models
from odoo.exceptions import ConcurrencyError
from odoo.fields import Domain
from odoo.tools import mute_logger

from .messages import ScanRefused

WORK_LIMIT = 60


class OmsScanSession(models.Model):
    """State "choose": the list of work, claiming a transfer, taking it over, putting it aside."""

    _inherit = "oms.scan.session"

    def _start(self, warehouse_id, picking_type_id):
        warehouses = self._get_warehouses()
        if not warehouses:
            raise ScanRefused("no_warehouse")
        warehouse = warehouses.filtered(lambda w: w.id == warehouse_id) or self.warehouse_id & warehouses
        warehouse = warehouse or self.env.user._get_default_warehouse_id() & warehouses or warehouses[0]
        if self.picking_id and self._get_state() != "choose":
            return self._say("resumed", transfer=self.picking_id.name)
        picking = self.picking_id
        if picking.state == "done":
            return self._tell_shipped(picking)  # validated in a dialog, or by somebody in the back office
        values = {"warehouse_id": warehouse.id}
        if warehouse != self.warehouse_id:
            values |= {"picking_type_id": False, "work_code": False}
        elif picking_type_id is not None:
            values |= {"picking_type_id": picking_type_id, "work_code": False}
        self._set(**values)
        return None

    def _get_warehouses(self):
        return self.env["stock.warehouse"].search([("company_id", "in", self.env.companies.ids)])

    def _get_work_domain(self):
        """Return the domain of the transfers that may be picked in the warehouse now. Made to be narrowed by addons."""
        return Domain(
            [
                ("state", "=", "assigned"),
                ("picking_type_id.warehouse_id", "=", self.warehouse_id.id),
                ("picking_type_id.code", "in", ["outgoing", "internal"]),
            ]
        )

    def _scan_choose(self, barcode):
        """-> pick and later states; the transfer, its order, its waybill or its batch. What names several narrows the
        list to them until they are done."""
        pickings = self._find_transfers(barcode)
        if not pickings:
            raise ScanRefused("unknown", {"barcode": barcode}, {"barcode": barcode})
        here = pickings.filtered(lambda p: p.picking_type_id.warehouse_id == self.warehouse_id)
        ready = here.filtered(lambda p: p.state == "assigned")
        choice = ready or here or pickings
        if len(ready) > 1:
            self._set(work_code=barcode)
            return self._say("several", count=len(ready))
        return self._open(choice[0])

    def _find_transfers(self, barcode):
        """Return the open transfers that ``barcode`` names, done ones only when there is no other."""
        Picking = self.env["stock.picking"]
        domain = Domain("picking_type_id.code", "in", ["outgoing", "internal"])
        found = Picking.search(domain & Domain("name", "=", barcode))
        if not found:
            parcels = self.env["oms.parcel"].search([("tracking_number", "=", barcode)])
            found = parcels.picking_id | Picking.search(domain & Domain("carrier_tracking_ref", "=", barcode))
        if not found:
            found = Picking.search(domain & Domain(self._get_order_domain(barcode)))
        if not found:
            found = Picking.search(domain & Domain("batch_id.name", "=", barcode))
        return found.filtered(lambda p: p.state not in ("done", "cancel")) or found

    def _get_order_domain(self, barcode):
        names = ("name", "client_order_ref", "channel_order_ref")
        # A transfer knows one order; those that travel with it are known by its delivery group.
        paths = ("sale_id", "oms_delivery_group_id.line_ids.order_id")
        domains = [Domain(f"{path}.{name}", "=", barcode) for path in paths for name in names]
        return Domain.OR([Domain("origin", "=", barcode), *domains])

    def _open(self, picking, take_over=False):
        """Claim ``picking`` and begin or go on with it."""
        if self.picking_id and self.picking_id != picking and self._get_state() != "choose":
            raise ScanRefused("finish_first", {"transfer": self.picking_id.name})
        if not picking:
            raise ScanRefused("stale")
        warehouse = picking.picking_type_id.warehouse_id
        if warehouse != self.warehouse_id:
            raise ScanRefused("other_warehouse", {"transfer": picking.name, "warehouse": warehouse.name})
        if picking.state != "assigned":
            states = dict(picking._fields["state"]._description_selection(self.env))
            raise ScanRefused("not_ready", {"transfer": picking.name, "state": states[picking.state]})
        picking.lock_for_update()
        other = self._find_holder(picking)
        if other and not take_over:
            raise ScanRefused("taken", {"transfer": picking.name, "user": other.name})
        picking._oms_check_release()
        again = bool(picking.move_line_ids.filtered("picked"))
        if not again:
            picking.move_line_ids.filtered("oms_problem").oms_problem = False  # a new attempt
        self._claim(picking)
        self._log("choose", code="taken_over" if other else "opened", note=other.name)
        if other:
            return self._say("taken_over", transfer=picking.name)
        if again:
            return self._say("resumed", transfer=picking.name)
        pieces = sum(self._get_lines_to_pick().mapped("quantity_product_uom"))
        return self._say("opened", transfer=picking.name, quantity=f"{pieces:g}")

    def _find_holder(self, picking):
        """Return the other operator who has ``picking``, if there is one."""
        return self._get_holders(picking).get(picking, self.env["res.users"])

    def _get_holders(self, pickings):
        """Return {transfer: the other operator who has it}."""
        # sudo: oms.scan.session - whose transfer it is may be known by all who scan
        sessions_sudo = self.sudo().search([("picking_id", "in", pickings.ids), ("user_id", "!=", self.env.uid)])
        return {session.picking_id.sudo(False): session.user_id.sudo(False) for session in sessions_sudo}

    def _claim(self, picking):
        # sudo: oms.scan.session - the former holder's session lets go of the transfer
        former_sudo = self.sudo().search([("picking_id", "=", picking.id), ("user_id", "!=", self.env.uid)])
        former_sudo._reset_transfer()
        former_sudo.flush_recordset(["picking_id"])
        self._reset_transfer()
        self._set(picking_id=picking.id, opened_date=fields.Datetime.now())
        try:
            with mute_logger("odoo.sql_db"):
                self.flush_recordset(["picking_id"])
        except UniqueViolation:
            raise ConcurrencyError("Somebody else opened the transfer at the same moment.") from None
        if picking.user_id != self.env.user:
            picking.user_id = self.env.user

    def _reset_transfer(self):
        # sudo: oms.scan.session - operators change theirs through the endpoints alone
        self.sudo().write(
            {
                "picking_id": False,
                "move_line_id": False,
                "location_id": False,
                "product_id": False,
                "parcel_step": "check",
                "opened_date": False,
            }
        )

    def _put_aside(self):
        picking = self.picking_id
        if not picking:
            return None
        self._log(self._get_state(), code="put_aside")
        picking.user_id = False
        self._reset_transfer()
        return self._say("put_aside", transfer=picking.name)
