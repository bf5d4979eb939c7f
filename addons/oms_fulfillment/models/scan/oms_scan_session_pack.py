from collections import defaultdict

from odoo import models

from .messages import ScanRefused


class OmsScanSession(models.Model):
    """States "check", "pack" and "weigh": every piece once more into a parcel, its packaging, its weight."""

    _inherit = "oms.scan.session"

    # === FACTS === #

    def _get_parcels(self):
        return self.picking_id._oms_get_live_parcels().sorted("number")

    def _get_open_parcel(self):
        return self._get_parcels().filtered(lambda parcel: parcel.state == "draft")[:1]

    def _get_checked_quantities(self):
        """Return {(move, lot): quantity in parcels}, in the products' units."""
        checked = defaultdict(float)
        for line in self._get_parcels().line_ids:
            checked[line.move_id, line.lot_id] += line.quantity
        return checked

    def _get_picked_quantities(self):
        """Return {(move, lot): quantity picked}, in the products' units."""
        picked = defaultdict(float)
        for line in self._get_picked_lines():
            picked[line.move_id, line.lot_id] += line.quantity_product_uom
        return picked

    def _get_quantities_to_check(self):
        """Return {(move, lot): quantity} that is picked and in no parcel yet."""
        checked = self._get_checked_quantities()
        return {
            key: quantity - checked[key]
            for key, quantity in self._get_picked_quantities().items()
            if key[0].product_id.uom_id.compare(quantity - checked[key], 0) > 0
        }

    # === CHECK === #

    def _scan_check(self, barcode):
        """-> check, or pack with the last piece. An article, a lot, or a packaging that closes the box."""
        if packaging := self._find_packaging(barcode):
            self._close_parcel()
            return self._set_packaging(packaging)
        item = self.env["oms.scan.reader"]._read_item(barcode, self.company_id)
        if item and item.product.tracking != "none" and not item.lot_name:
            self._check_is_picked(item.product, barcode)
            self._set(product_id=item.product.id)
            return self._say("scan_lot", product=item.product.name)
        if item:
            lot = self._find_lot(item.lot_name, item.product) if item.lot_name else None
            if item.lot_name and not lot:
                raise ScanRefused("lot_not_picked", {"lot": item.lot_name, "product": item.product.name})
            return self._check(item.product, item.quantity, lot, barcode)
        products = self.product_id or self._get_picked_lines().product_id
        if lot := self._find_lot(barcode, products):
            return self._check(lot.product_id, 1.0, lot, barcode)
        raise ScanRefused("unknown", {"barcode": barcode}, {"barcode": barcode})

    def _check_is_picked(self, product, barcode):
        """Refuse what was not picked, and what is in a parcel already. Return what is left to check of ``product``."""
        if product not in self._get_picked_lines().product_id:
            raise ScanRefused(
                "not_picked", {"product": product.display_name}, {"product_id": product.id, "barcode": barcode}
            )
        left = {
            key: quantity for key, quantity in self._get_quantities_to_check().items() if key[0].product_id == product
        }
        if not left:
            raise ScanRefused("over_checked", {"product": product.name}, {"product_id": product.id, "barcode": barcode})
        return left

    def _check(self, product, quantity, lot, barcode):
        """Put ``quantity`` pieces into the open parcel."""
        left = self._check_is_picked(product, barcode)
        if lot:
            left = {key: value for key, value in left.items() if key[1] == lot}
            if not left:
                params = {"lot": lot.name, "product": product.name}
                raise ScanRefused("lot_not_picked", params, {"product_id": product.id, "lot_id": lot.id})
        uom = product.uom_id
        if quantity <= 0 or not uom.is_zero(quantity - uom.round(quantity)):
            raise ScanRefused("bad_quantity", {"product": product.name, "quantity": quantity})
        if uom.compare(quantity, sum(left.values())) > 0:
            params = {"product": product.name, "todo": self._format(sum(left.values()), product)}
            raise ScanRefused("too_many", params, {"product_id": product.id, "barcode": barcode, "quantity": quantity})
        self._put_in(left, quantity, barcode)
        self._set(product_id=False)
        if not self._get_quantities_to_check():
            self._set(parcel_step="pack")
            return self._say("check_done")
        return self._tell_checked(product)

    def _tell_checked(self, product):
        done = sum(q for (move, _lot), q in self._get_checked_quantities().items() if move.product_id == product)
        todo = sum(q for (move, _lot), q in self._get_picked_quantities().items() if move.product_id == product)
        return self._say(
            "checked", product=product.name, done=self._format(done, product), todo=self._format(todo, product)
        )

    def _put_in(self, left, quantity, barcode):
        """Add ``quantity`` of the (move, lot) keys of ``left`` to the open parcel, which is made when there is none."""
        parcel = self._get_open_parcel() or self._create_parcel()
        for (move, lot), available in left.items():
            taken = min(quantity, available)
            line = parcel.line_ids.filtered(
                lambda line, move=move, lot=lot: line.move_id == move and line.lot_id == lot
            )
            if line:
                line.quantity += taken
            else:
                parcel.line_ids.create(
                    {
                        "parcel_id": parcel.id,
                        "move_id": move.id,
                        "product_id": move.product_id.id,
                        "lot_id": lot.id,
                        "quantity": taken,
                    }
                )
            self._log(
                "check",
                code="checked",
                quantity=taken,
                move_id=move.id,
                product_id=move.product_id.id,
                lot_id=lot.id,
                parcel_id=parcel.id,
                barcode=barcode,
            )
            quantity -= taken
            if move.product_id.uom_id.compare(quantity, 0) <= 0:
                break

    def _create_parcel(self):
        numbers = self.env["oms.parcel"].search([("picking_id", "=", self.picking_id.id)]).mapped("number")
        return self.env["oms.parcel"].create({"picking_id": self.picking_id.id, "number": max(numbers, default=0) + 1})

    def _check_set_quantity(self, key, quantity):
        """Only what has no barcode may be counted by hand: the check is worth what is scanned."""
        for move, lot in self._get_quantities_to_check():
            if f"{move.id}-{lot.id or 0}" == key:
                if move.product_id.barcode or lot:
                    raise ScanRefused("must_scan", {"product": move.product_id.name})
                return self._check(move.product_id, quantity, lot or None, None)
        raise ScanRefused("line_gone")

    # === PACK === #

    def _find_packaging(self, barcode):
        return self.env["stock.package.type"].search(
            [("barcode", "=", barcode), ("company_id", "in", [False, self.company_id.id])], limit=1
        )

    def _get_packagings(self):
        return self.env["stock.package.type"].search(
            [
                ("package_use", "=", "disposable"),
                ("company_id", "in", [False, self.company_id.id]),
                ("package_carrier_type", "in", [False, "none", self.picking_id.delivery_type]),
            ]
        )

    def _scan_pack(self, barcode):
        """-> weigh: the packaging, or the scale at once."""
        if packaging := self._find_packaging(barcode):
            return self._set_packaging(packaging)
        raise ScanRefused("unknown", {"barcode": barcode}, {"barcode": barcode})

    def _close_parcel(self):
        parcel = self._get_open_parcel()
        if not parcel.line_ids:
            raise ScanRefused("empty_parcel")
        self._set(parcel_step="pack", product_id=False)
        return self._say("parcel_closed", parcel=parcel.name)

    def _reopen_parcel(self, empty):
        parcel = self._get_open_parcel()
        self._set(parcel_step="check", product_id=False)
        if not (empty and parcel.line_ids):
            return None
        self._take_back_checks(parcel)
        parcel.line_ids.unlink()
        parcel.write({"weight_gross": 0.0, "weight_forced_by_id": False})
        return self._say("parcel_emptied", parcel=parcel.name)

    def _set_packaging(self, packaging):
        parcel = self._get_open_parcel()
        if not parcel.line_ids:
            raise ScanRefused("empty_parcel")
        parcel.package_type_id = packaging
        self._set(parcel_step="weigh")
        self._log("pack", code="packaging", parcel_id=parcel.id, note=packaging.name)
        return self._say("packaging", packaging=packaging.name or "-")

    # === WEIGH === #

    def _scan_weigh(self, barcode):
        """-> check (next parcel) or label: the scale types what it measures."""
        if packaging := self._find_packaging(barcode):
            return self._set_packaging(packaging)
        return self._weigh(barcode)

    def _weigh(self, weight):
        parcel = self._get_open_parcel()
        kilograms = self.env["oms.scan.reader"]._read_weight(weight)
        if not kilograms or kilograms <= 0 or kilograms > 2000 or not parcel:
            raise ScanRefused("bad_weight", {"weight": weight})
        parcel._set_weight(kilograms)
        if parcel.weight_check == "off":
            # Not a ScanRefused: the weight is kept, somebody with the right may accept it.
            self._log("weigh", result="refused", code="weight_off", parcel_id=parcel.id, weight=kilograms)
            gross, expected = f"{kilograms:.3f}", f"{parcel.weight_expected:.3f}"
            return self._say("weight_off", gross=gross, expected=expected)
        self._log("weigh", code="weighed", parcel_id=parcel.id, weight=kilograms)
        self._finish_parcel(parcel)
        return self._say("weighed", parcel=parcel.name, gross=f"{kilograms:.3f}")

    def _accept_weight(self):
        parcel = self._get_open_parcel()
        if parcel.weight_check != "off":
            return None
        parcel.action_accept_weight()
        self._log("weigh", code="weight_accepted", parcel_id=parcel.id, weight=parcel.weight_gross)
        self._finish_parcel(parcel)
        return self._say("weight_accepted", parcel=parcel.name, user=self.env.user.name)

    def _finish_parcel(self, parcel):
        parcel.action_pack()
        self._set(parcel_step="check")

    # === STEPS THE WAREHOUSE LEAVES OUT === #

    def _skip_steps(self):
        """Do by itself what the operation type does not ask people to do."""
        operation = self.picking_id.picking_type_id
        state = self._get_state()
        if state == "check" and not operation.oms_scan_check:
            self._put_in_all()
            state = "pack"
        if state == "pack" and self.parcel_step != "weigh" and not self._get_packagings():
            self._set(parcel_step="weigh")
            state = "weigh"
        if state == "weigh" and not operation.oms_scan_weigh:
            self._finish_parcel(self._get_open_parcel())

    def _put_in_all(self):
        for key, quantity in self._get_quantities_to_check().items():
            self._put_in({key: quantity}, quantity, None)
        self._set(parcel_step="pack")
