from odoo import models
from odoo.fields import Domain

from .oms_scan_session_choose import WORK_LIMIT


class OmsScanSession(models.Model):
    """What the device draws in each state. Plain values only, numbers in the products' own units."""

    _inherit = "oms.scan.session"

    # === CHOOSE === #

    def _get_data_choose(self):
        """{"warehouse", "warehouses", "operations": [{id, name, count}], "transfers": [...], "total", "user",
        "work_code": the scanned code that narrows the list}"""
        Picking = self.env["stock.picking"]
        domain = self._get_work_domain()
        groups = Picking._read_group(domain, ["picking_type_id"], ["__count"])
        named = self._find_transfers(self.work_code).filtered_domain(domain) if self.work_code else Picking
        if named:
            domain &= Domain("id", "in", named.ids)
        elif self.picking_type_id:
            domain &= self._get_operation_domain()
        pickings = Picking.search(domain, limit=WORK_LIMIT, order="priority desc, scheduled_date, id")
        return {
            "warehouse": self._pack_record(self.warehouse_id),
            "warehouses": [self._pack_record(warehouse) for warehouse in self._get_warehouses()],
            "operations": [
                {"id": operation.id, "name": operation.name, "count": count}
                for operation, count in sorted(groups, key=lambda group: (group[0].sequence, group[0].id))
            ],
            "operation_id": not named and self.picking_type_id.id,
            "work_code": self.work_code if named else False,
            "total": sum(count for _operation, count in groups),
            "shown": len(pickings),
            "transfers": self._prepare_transfers(pickings),
            "user": self.env.user.name,
            "supervisor": self.env.user.has_group("oms_base.oms_base_group_manager"),
        }

    def _get_operation_domain(self):
        return [("picking_type_id", "=", self.picking_type_id.id)]

    def _prepare_transfers(self, pickings):
        held_orders = self._get_held_orders(pickings)
        counts = {
            picking: (lines, pieces)
            for picking, lines, pieces in self.env["stock.move.line"]._read_group(
                [("picking_id", "in", pickings.ids)], ["picking_id"], ["product_id:count_distinct", "quantity:sum"]
            )
        }
        started = {
            picking
            for (picking,) in self.env["stock.move.line"]._read_group(
                [("picking_id", "in", pickings.ids), ("picked", "=", True)], ["picking_id"]
            )
        }
        holders = self._get_holders(pickings)
        result = []
        for picking in pickings:
            lines, pieces = counts.get(picking, (0, 0.0))
            orders = picking.move_ids.sale_line_id.order_id
            result.append(
                {
                    **self._prepare_transfer(picking),
                    "lines": lines,
                    "pieces": round(pieces, 3),
                    "started": picking in started,
                    "held": bool(orders & held_orders),
                    "holder": holders[picking].name if picking in holders else False,
                }
            )
        return result

    def _get_held_orders(self, pickings):
        # sudo: sale.order, oms.hold - a picker sees that an order is held, not why
        orders_sudo = pickings.sudo()._oms_get_channel_orders()
        return orders_sudo._oms_get_blocking_holds("release").order_id.sudo(False)

    def _prepare_transfer(self, picking):
        return {
            "id": picking.id,
            "name": picking.name,
            "origin": picking.origin or "",
            "partner": picking.partner_id.commercial_partner_id.name or picking.partner_id.name or "",
            "city": picking.partner_id.city or "",
            "carrier": picking.carrier_id.name or "",
            "operation": picking.picking_type_id.name,
            "urgent": picking.priority == "1",
            "date": picking.scheduled_date and picking.scheduled_date.isoformat() + "Z",
            "destination": picking.location_dest_id.display_name if picking.picking_type_code == "internal" else "",
        }

    # === ONE TRANSFER === #

    def _get_data_common(self):
        """What every state with a transfer shows: the transfer and how far it is."""
        picking = self.picking_id
        lines = self._get_open_lines()
        parcels = self._get_parcels() if picking._oms_is_packed_by_scanning() else self.env["oms.parcel"]
        return {
            "transfer": {**self._prepare_transfer(picking), "note": self._get_note()},
            "outgoing": picking._oms_is_packed_by_scanning(),
            "picked": sum(self._get_picked_lines().mapped("quantity_product_uom")),
            "to_pick": sum(lines.mapped("quantity_product_uom")),
            "checked": sum(parcels.line_ids.mapped("quantity")),
            "parcels": [self._prepare_parcel(parcel) for parcel in parcels],
            "supervisor": self.env.user.has_group("oms_base.oms_base_group_manager"),
        }

    def _get_note(self):
        """Return the note on the transfer, as plain text."""
        return " ".join(self.picking_id.note.striptags().split()) if self.picking_id.note else ""

    def _prepare_parcel(self, parcel):
        return {
            "id": parcel.id,
            "name": parcel.name,
            "state": parcel.state,
            "pieces": parcel.quantity,
            "packaging": self._pack_record(parcel.package_type_id),
            "expected": parcel.weight_expected,
            "gross": parcel.weight_gross,
            "weight_check": parcel.weight_check,
            "waybill": parcel.tracking_number or "",
            "carrier": parcel.carrier_id.name or "",
        }

    def _prepare_product(self, product):
        return {
            "id": product.id,
            "name": product.name,
            "variant": ", ".join(product.product_template_attribute_value_ids.mapped("name")),
            "code": product.default_code or "",
            "barcode": product.barcode or "",
            "tracking": product.tracking,
            "unit": self._name_unit(product),
            "image": f"/web/image/product.product/{product.id}/image_256",
        }

    def _prepare_lot(self, lot):
        if not lot:
            return False
        return {
            "id": lot.id,
            "name": lot.name,
            "expiry": lot.expiration_date and lot.expiration_date.date().isoformat(),
        }

    @staticmethod
    def _pack_record(record):
        return {"id": record.id, "name": record.display_name} if record else False

    def _get_data_pick(self):
        """{..., "lines": [{id, location, product, lot, package, done, todo, problem}], "current_id", "at", ...}"""
        return {
            **self._get_data_common(),
            "lines": self._prepare_pick_lines(),
            "current_id": self._get_current_line().id,
            "at": self.location_id.id,
            "lot_wanted": self._pack_record(self.product_id),
            "scan_location": self.picking_id.picking_type_id.oms_scan_location,
        }

    def _prepare_pick_lines(self):
        """One row for each place, move, lot and package, its picked and unpicked pieces together."""

        def sort_key(line):
            return (
                self._get_location_key(line.location_id),
                line.move_id.id,
                line.lot_id.id or 0,
                line.package_id.id or 0,
                line.oms_problem or "",
            )

        rows = []
        open_lines = self._get_open_lines()
        for lines in open_lines.sorted(sort_key).grouped(sort_key).values():
            unpicked = lines.filtered(lambda line: not line.picked)
            line = (unpicked or lines)[0].with_prefetch(open_lines.ids)
            rows.append(
                {
                    "id": line.id,
                    "location": {"id": line.location_id.id, "name": self._name_location(line.location_id)},
                    "product": self._prepare_product(line.product_id),
                    "lot": self._prepare_lot(line.lot_id),
                    "package": line.package_id.name or "",
                    "done": sum((lines - unpicked).mapped("quantity_product_uom")),
                    "todo": sum(lines.mapped("quantity_product_uom")),
                    "problem": line.oms_problem or False,
                }
            )
        return rows

    def _get_data_check(self):
        """{..., "lines": [{id, product, lot, done, todo, manual}], "lot_wanted", "parcel"}"""
        checked = self._get_checked_quantities()
        parcel = self._get_open_parcel()
        return {
            **self._get_data_common(),
            "lines": [
                {
                    "id": f"{move.id}-{lot.id or 0}",
                    "product": self._prepare_product(move.product_id),
                    "lot": self._prepare_lot(lot),
                    "done": checked[move, lot],
                    "todo": quantity,
                    "manual": not move.product_id.barcode and not lot,
                }
                for (move, lot), quantity in self._get_picked_quantities().items()
            ],
            "lot_wanted": self._pack_record(self.product_id),
            "parcel": self._prepare_parcel(parcel) if parcel else False,
        }

    def _get_data_pack(self):
        """{..., "parcel", "packagings": [{id, name, size}], "suggested_id"}"""
        parcel = self._get_open_parcel()
        packagings = self._get_packagings()
        return {
            **self._get_data_common(),
            "parcel": self._prepare_parcel(parcel),
            "packagings": [
                {
                    "id": packaging.id,
                    "name": packaging.name,
                    "weight": packaging.base_weight,
                    "size": self._get_size(packaging),
                }
                for packaging in packagings
            ],
            "suggested_id": (parcel.package_type_id or packagings[:1]).id,
        }

    def _get_size(self, packaging):
        sides = (packaging.packaging_length, packaging.width, packaging.height)
        return " × ".join(f"{side:g}" for side in sides) if all(sides) else ""

    def _get_data_weigh(self):
        """{..., "parcel"}"""
        return {**self._get_data_common(), "parcel": self._prepare_parcel(self._get_open_parcel())}

    def _get_data_label(self):
        return self._get_data_common()

    def _get_data_ship(self):
        """{..., "missing": [{product, quantity, problem}]}: what does not leave with this transfer."""
        picked = self._get_picked_quantities()
        by_move = {}
        for (move, _lot), quantity in picked.items():
            by_move[move] = by_move.get(move, 0.0) + quantity
        missing = []
        for move in self.picking_id.move_ids.filtered(lambda move: move.state not in ("done", "cancel")):
            left = move.product_qty - by_move.get(move, 0.0)
            if move.product_id.uom_id.compare(left, 0) > 0:
                problem = move.move_line_ids.filtered("oms_problem")[:1].oms_problem
                missing.append(
                    {"product": self._prepare_product(move.product_id), "quantity": left, "problem": problem or False}
                )
        return {**self._get_data_common(), "missing": missing, "nothing": not picked}
