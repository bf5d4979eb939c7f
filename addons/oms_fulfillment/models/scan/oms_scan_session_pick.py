import re

from odoo import models
from odoo.fields import Domain

from .messages import ScanRefused


class OmsScanSession(models.Model):
    """State "pick": line by line along the shelves; every scan is on Odoo's move lines at once."""

    _inherit = "oms.scan.session"

    # === WHAT IS TO DO === #

    def _get_open_lines(self):
        return self.picking_id.move_line_ids.filtered(lambda line: line.state not in ("done", "cancel"))

    def _get_picked_lines(self):
        return self._get_open_lines().filtered(lambda line: line.picked and line.quantity > 0)

    def _get_lines_to_pick(self):
        """Return the reserved lines nobody has picked, in the order of the walk."""
        lines = self._get_open_lines().filtered(lambda x: not x.picked and not x.oms_problem and x.quantity > 0)
        return lines.sorted(lambda line: (self._get_location_key(line.location_id), line.id))

    def _get_location_key(self, location):
        """Return what the walk is sorted by: A-2 comes before A-10."""
        parts = re.split(r"(\d+)", location.complete_name or "")
        return tuple((part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts)

    def _get_current_line(self):
        """Return the line the operator is sent to: the one chosen, else one at this place, else the next."""
        lines = self._get_lines_to_pick()
        current = self.move_line_id & lines
        here = lines.filtered(lambda line: line.location_id == self.location_id)
        return current or here[:1] or lines[:1]

    # === ENDPOINTS === #

    def _select_line(self, line_id):
        line = self._get_lines_to_pick().filtered(lambda line: line.id == line_id)
        if not line:
            raise ScanRefused("line_gone")
        self._set(move_line_id=line.id, product_id=False)

    def _scan_pick(self, barcode):
        """-> pick, or check (ship for other transfers) with the last piece. Place, package, article, lot or serial."""
        if location := self._find_location(barcode):
            return self._go_to_location(location)
        if lines := self._get_lines_to_pick().filtered(lambda line: line.package_id.name == barcode):
            return self._pick_package(lines)
        if self.product_id and (lot := self._find_lot(barcode, self.product_id)):
            return self._pick(self.product_id, 1.0, lot, barcode)
        if item := self.env["oms.scan.reader"]._read_item(barcode, self.company_id):
            return self._pick_item(item, barcode)
        if lot := self._find_lot(barcode, self.picking_id.move_ids.product_id):
            return self._pick(lot.product_id, 1.0, lot, barcode)
        if self.product_id:
            params = {
                "lot": barcode,
                "product": self.product_id.name,
                "location": self._name_location(self._get_current_line().location_id),
            }
            raise ScanRefused("wrong_lot", params, {"barcode": barcode, "product_id": self.product_id.id})
        return self._scan_something_else(barcode)

    def _scan_something_else(self, barcode):
        """A code that means nothing in this state may still name a transfer."""
        pickings = self._find_transfers(barcode)
        if not pickings or self.picking_id in pickings:
            raise ScanRefused("unknown", {"barcode": barcode}, {"barcode": barcode})
        if self._get_picked_lines():
            raise ScanRefused("finish_first", {"transfer": self.picking_id.name}, {"barcode": barcode})
        self._put_aside()
        return self._scan_choose(barcode)

    def _pick_set_quantity(self, line_id, quantity):
        line = self._get_lines_to_pick().filtered(lambda line: line.id == line_id)
        if not line:
            raise ScanRefused("line_gone")
        product = line.product_id
        if product.tracking == "serial":
            raise ScanRefused("serial_one", {"product": product.name})
        scanned = line._oms_find_twin(line.lot_id)
        if (product.barcode or product.tracking != "none") and not scanned:
            raise ScanRefused("scan_once", {"product": product.name})
        self._set(move_line_id=line.id)
        return self._pick(product, quantity, line.lot_id, None)

    def _set_quantity(self, line_id, quantity):
        state = self._get_state()
        if state == "pick":
            return self._pick_set_quantity(line_id, quantity)
        if state == "check":
            return self._check_set_quantity(line_id, quantity)
        raise ScanRefused("line_gone")

    # === PLACES === #

    def _find_location(self, barcode):
        return self.env["stock.location"].search(
            [("barcode", "=", barcode), ("company_id", "in", [False, self.company_id.id])], limit=1
        )

    def _go_to_location(self, location):
        lines = self._get_lines_to_pick().filtered(lambda line: line.location_id._child_of(location))
        if not lines:
            raise ScanRefused(
                "wrong_location", {"location": self._name_location(location)}, {"location_id": location.id}
            )
        line = self._get_current_line() & lines or lines[0]
        self._set(location_id=line.location_id.id, move_line_id=line.id, product_id=False)
        return self._say("at_location", location=self._name_location(line.location_id))

    def _check_location(self, line):
        """Refuse a piece from another shelf than the one the operator stands at."""
        if self.location_id and line.location_id != self.location_id:
            params = {"product": line.product_id.name, "location": self._name_location(line.location_id)}
            raise ScanRefused(
                "elsewhere", params, {"product_id": line.product_id.id, "location_id": self.location_id.id}
            )
        if self.picking_id.picking_type_id.oms_scan_location and not self.location_id:
            raise ScanRefused("location_first", {"location": self._name_location(line.location_id)})

    # === PIECES === #

    def _pick_item(self, item, barcode):
        product = item.product
        if product not in self.picking_id.move_ids.filtered(lambda m: m.state != "cancel").product_id:
            raise ScanRefused(
                "wrong_product", {"product": product.display_name}, {"product_id": product.id, "barcode": barcode}
            )
        if product.tracking == "none":
            return self._pick(product, item.quantity, None, barcode)
        if not item.lot_name:
            line = self._get_candidates(product)[0]
            self._check_location(line)
            self._set(product_id=product.id, move_line_id=line.id)
            return self._say("scan_lot", product=product.name)
        lot = self._find_lot(item.lot_name, product)
        if not lot:
            location = self._get_candidates(product)[0].location_id
            params = {"lot": item.lot_name, "product": product.name, "location": self._name_location(location)}
            raise ScanRefused("wrong_lot", params, {"product_id": product.id, "barcode": barcode})
        return self._pick(product, item.quantity, lot, barcode)

    def _get_candidates(self, product):
        """Return the lines of ``product`` left to pick: the current one first, those at this place before others."""
        lines = self._get_lines_to_pick().filtered(lambda line: line.product_id == product)
        if not lines:
            raise ScanRefused("all_picked", {"product": product.name}, {"product_id": product.id})
        return lines.sorted(lambda line: (line != self.move_line_id, line.location_id != self.location_id))

    def _pick(self, product, quantity, lot, barcode):
        """Take ``quantity`` (product's unit) of ``product`` from its lines."""
        lines = self._get_candidates(product)
        if lot:
            lines = self._get_lot_lines(lines, lot, quantity)
        else:
            here = lines.filtered(lambda line: line.location_id == self.location_id)
            lines = here or lines
        self._check_location(lines[0])
        left = sum(lines.mapped("quantity_product_uom"))
        uom = product.uom_id
        if quantity <= 0 or not uom.is_zero(quantity - uom.round(quantity)):
            raise ScanRefused("bad_quantity", {"product": product.name, "quantity": quantity})
        if uom.compare(quantity, left) > 0:
            params = {"product": product.name, "todo": self._format(left, product)}
            raise ScanRefused("too_many", params, {"product_id": product.id, "barcode": barcode, "quantity": quantity})
        expected = lines[0].lot_id
        self._take(lines, quantity, lot, barcode)
        return self._tell_picked(product, lot, expected)

    def _take(self, lines, quantity, lot, barcode):
        uom = lines.product_id.uom_id
        for line in lines:
            taken = min(quantity, line.quantity_product_uom)
            values = {"product_id": line.product_id.id, "location_id": line.location_id.id, "move_id": line.move_id.id}
            line._oms_pick(taken, lot)
            self._log("pick", code="picked", quantity=taken, lot_id=lot.id if lot else False, barcode=barcode, **values)
            quantity -= taken
            if uom.compare(quantity, 0) <= 0:
                break
        self._set(product_id=False, move_line_id=self._get_next_line_id(lines))

    def _get_next_line_id(self, lines):
        """Stay at the line while something is left of it."""
        return (lines & self._get_lines_to_pick())[:1].id

    def _tell_picked(self, product, lot, expected):
        left = self._get_lines_to_pick()
        if not left:
            return self._say("pick_done")
        if lot and expected and lot != expected:
            return self._say("other_lot", product=product.name, lot=lot.name, expected=expected.name)
        if product not in left.product_id:
            return self._say("line_done", product=product.name)
        moves = self.picking_id.move_ids.filtered(lambda move: move.product_id == product and move.state != "cancel")
        done = sum(self._get_picked_lines().filtered(lambda line: line.move_id in moves).mapped("quantity_product_uom"))
        todo = sum(self._get_open_lines().filtered(lambda line: line.move_id in moves).mapped("quantity_product_uom"))
        return self._say(
            "picked", product=product.name, done=self._format(done, product), todo=self._format(todo, product)
        )

    def _pick_package(self, lines):
        """A closed package on the shelf that goes as a whole."""
        for line in lines:
            self._check_location(line)
            self._take(line, line.quantity_product_uom, line.lot_id, line.package_id.name)
        return self._tell_picked(lines.product_id[:1], None, None)

    # === LOTS === #

    def _find_lot(self, name, products):
        """Return the lot of ``products`` called ``name``."""
        if not products:
            return self.env["stock.lot"]
        return self.env["stock.lot"].search(
            Domain("product_id", "in", products.ids)
            & Domain("company_id", "in", [False, self.company_id.id])
            & (Domain("name", "=", name) | Domain("ref", "=", name)),
            limit=1,
        )

    def _get_lot_lines(self, lines, lot, quantity):
        """Return the lines ``lot`` may be taken for: those that reserved it, else one whose lot it may replace."""
        product = lot.product_id
        log = {"product_id": product.id, "lot_id": lot.id}
        if product.tracking == "serial":
            if product.uom_id.compare(quantity, 1.0) != 0:
                raise ScanRefused("serial_one", {"product": product.name}, log)
            if lot in self._get_picked_lines().lot_id:
                raise ScanRefused("serial_twice", {"lot": lot.name}, log)
        if lot.product_expiry_alert:
            raise ScanRefused("expired_lot", {"lot": lot.name, "product": product.name}, log)
        if same := lines.filtered(lambda line: line.lot_id == lot):
            return same
        free = self.env["stock.quant"]._read_group(
            [("lot_id", "=", lot.id), ("location_id", "in", lines.location_id.ids), ("package_id", "=", False)],
            ["location_id"],
            ["quantity:sum", "reserved_quantity:sum"],
        )
        places = {
            place
            for place, quantity_in, reserved in free
            if product.uom_id.compare(quantity_in - reserved, quantity) >= 0
        }
        fitting = lines.filtered(lambda line: line.location_id in places and not line.package_id)
        if not fitting:
            params = {"lot": lot.name, "product": product.name, "location": self._name_location(lines[0].location_id)}
            raise ScanRefused("wrong_lot", params, log)
        return fitting[0]
