from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError, LockError

from .endpoint import scan_endpoint
from .messages import ScanRefused, get_message


class OmsScanSession(models.Model):
    """Where an operator is: which warehouse, which transfer, which line, which parcel step.

    The device only draws what it is told; a crash, a battery change or a second device loses nothing. What has been
    done is read from Odoo's own documents (`stock.move.line.picked`, `oms.parcel`), never from here.
    Only the endpoints write a session, each for its own user.
    """

    _name = "oms.scan.session"
    _description = "Scanning Session"
    _rec_name = "user_id"
    _check_company_auto = True

    user_id = fields.Many2one("res.users", string="Operator", required=True, readonly=True, ondelete="cascade")
    warehouse_id = fields.Many2one("stock.warehouse", readonly=True, ondelete="set null", index="btree_not_null")
    company_id = fields.Many2one(related="warehouse_id.company_id", store=True, index=True)
    picking_type_id = fields.Many2one(
        "stock.picking.type", string="Only This Operation", readonly=True, ondelete="set null"
    )
    work_code = fields.Char(string="Only What Was Scanned", readonly=True)
    picking_id = fields.Many2one(
        "stock.picking", string="Transfer", readonly=True, ondelete="set null", check_company=True
    )
    move_line_id = fields.Many2one("stock.move.line", string="Current Line", readonly=True, ondelete="set null")
    location_id = fields.Many2one("stock.location", string="Standing At", readonly=True, ondelete="set null")
    product_id = fields.Many2one("product.product", string="Lot Wanted For", readonly=True, ondelete="set null")
    parcel_step = fields.Selection(
        [("check", "Check"), ("pack", "Pack"), ("weigh", "Weigh")], required=True, default="check", readonly=True
    )
    opened_date = fields.Datetime(string="Transfer Since", readonly=True)

    _user_uniq = models.Constraint("UNIQUE(user_id)", "An operator has one scanning session.")
    _picking_uniq = models.UniqueIndex("(picking_id) WHERE picking_id IS NOT NULL", "Two operators on one transfer.")

    # === ENDPOINTS === #
    # Each answers {"state", "data", "message"}, see `scan_endpoint`.

    @api.model
    @scan_endpoint
    def scan_start(self, warehouse_id=None, picking_type_id=None):
        """Show where the operator is. Without a transfer: the list of work, of another warehouse or operation if given.

        :param int warehouse_id: warehouse to work in from now on
        :param int picking_type_id: show only this operation type, False for all
        """
        return self._start(warehouse_id, picking_type_id)

    @api.model
    @scan_endpoint
    def scan_barcode(self, barcode):
        """Handle whatever was scanned, by the state the session is in."""
        barcode = (barcode or "").strip()
        if not barcode:
            return None
        return getattr(self, f"_scan_{self._get_state()}")(barcode)

    @api.model
    @scan_endpoint
    def scan_open(self, transfer_id):
        """Begin or go on with the transfer chosen from the list."""
        return self._open(self.env["stock.picking"].browse(transfer_id).exists())

    @api.model
    @scan_endpoint
    def scan_take_over(self, transfer_id):
        """Take a transfer from the operator who has it. For OMS managers."""
        self._check_supervisor()
        return self._open(self.env["stock.picking"].browse(transfer_id).exists(), take_over=True)

    @api.model
    @scan_endpoint
    def scan_put_aside(self):
        """Give the transfer back to the list. What was done stays done."""
        return self._put_aside()

    @api.model
    @scan_endpoint
    def scan_select_line(self, line_id):
        """Work on another line than the one suggested."""
        return self._select_line(line_id)

    @api.model
    @scan_endpoint
    def scan_set_quantity(self, line_id, quantity):
        """Take ``quantity`` more of a line at once: many pieces, or an article that cannot be scanned.

        :param line_id: move line id while picking, key of the row while checking
        :param float quantity: in the product's unit
        """
        return self._set_quantity(line_id, quantity)

    @api.model
    @scan_endpoint
    def scan_report_problem(self, line_id, kind, quantity=None):
        """Say that pieces of a line are "short" (not on the shelf) or "damaged".

        :param float quantity: in the product's unit; all that is left of the line when not given
        """
        return self._report_problem(line_id, kind, quantity)

    @api.model
    @scan_endpoint
    def scan_undo(self):
        """Take the last scan of this transfer back."""
        return self._undo()

    @api.model
    @scan_endpoint
    def scan_close_parcel(self):
        """Close the box that is being filled; what is left goes into the next one."""
        return self._close_parcel()

    @api.model
    @scan_endpoint
    def scan_reopen_parcel(self, empty=False):
        """Open the box again. With ``empty``, everything is taken out and checked once more."""
        return self._reopen_parcel(empty)

    @api.model
    @scan_endpoint
    def scan_packaging(self, package_type_id):
        """Choose the packaging of the closed box, False for none."""
        return self._set_packaging(self.env["stock.package.type"].browse(package_type_id or []).exists())

    @api.model
    @scan_endpoint
    def scan_weigh(self, weight):
        """Weigh the closed box.

        :param float weight: gross, in kilograms
        """
        return self._weigh(weight)

    @api.model
    @scan_endpoint
    def scan_accept_weight(self):
        """Accept a weight out of tolerance. For OMS managers."""
        self._check_supervisor()
        return self._accept_weight()

    @api.model
    @scan_endpoint
    def scan_print_label(self):
        """Get the waybills of the packed parcels and print them."""
        return self._print_label()

    @api.model
    @scan_endpoint
    def scan_ship(self, cancel_rest=False):
        """Validate the transfer.

        :param bool cancel_rest: what is missing is not delivered later; for OMS managers
        """
        return self._ship(cancel_rest)

    # === STATE === #

    def _get_state(self):
        """Return the state the device shows, derived from what has been done.

        choose -> pick -> (check -> pack -> weigh)* -> label -> ship -> choose; transfers that are not deliveries go
        from pick to ship.
        """
        picking = self.picking_id
        if not picking or picking.state in ("done", "cancel"):
            return "choose"
        if self._get_lines_to_pick():
            return "pick"
        if not picking._oms_is_packed_by_scanning() or not self._get_picked_lines():
            return "ship"
        parcel = self._get_open_parcel()
        if self._get_quantities_to_check() and self.parcel_step == "check":
            return "check"
        if parcel:
            return "weigh" if self.parcel_step == "weigh" else "pack"
        if self._get_quantities_to_check():
            return "check"
        return "label" if picking._oms_get_parcels_to_label() else "ship"

    def _get_answer(self, message):
        """Return what the device draws."""
        self.ensure_one()
        state = self._get_state()
        return {"state": state, "data": getattr(self, f"_get_data_{state}")(), "message": message}

    # === HELPERS === #

    @api.model
    def _get_own_session(self):
        """Return the caller's session, locked, in the company of its warehouse."""
        # sudo: oms.scan.session - operators change theirs through the endpoints alone
        session_sudo = self.sudo().search([("user_id", "=", self.env.uid)])
        if not session_sudo:
            session_sudo = self.sudo().create({"user_id": self.env.uid})
        try:
            session_sudo.lock_for_update()
        except LockError:
            raise ConcurrencyError("Another device of the same operator is scanning.") from None
        session = session_sudo.sudo(False)
        return session.with_company(session_sudo.company_id or self.env.company)

    def _set(self, **values):
        # sudo: oms.scan.session - operators change theirs through the endpoints alone
        self.sudo().write(values)

    def _say(self, code, **params):
        return get_message(self.env, code, **params)

    def _check_supervisor(self):
        if not self.env.user.has_group("oms_base.oms_base_group_manager"):
            raise ScanRefused("supervisor")

    def _log(self, step, result="done", **values):
        """Write what was done to the scan log."""
        # sudo: oms.scan.log - append-only, nobody has the right to write it
        return (
            self.env["oms.scan.log"]
            .sudo()
            .create(
                {
                    "user_id": self.env.uid,
                    "company_id": (self.picking_id.company_id or self.company_id or self.env.company).id,
                    "warehouse_id": self.warehouse_id.id,
                    "picking_id": self.picking_id.id,
                    "step": step,
                    "result": result,
                    **values,
                }
            )
        )

    def _name_location(self, location):
        """Return the name of a place as it is written on the shelf: without the stock it lies in."""
        stock = self.warehouse_id.lot_stock_id.complete_name
        return (location.complete_name or "").removeprefix(f"{stock}/")

    def _format(self, quantity, product):
        """Return a quantity as people write it: 3, not 3.0, with the unit where it is not plain pieces."""
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        text = f"{quantity:.{digits}f}".rstrip("0").rstrip(".")
        return f"{text} {self._name_unit(product)}".rstrip()

    def _name_unit(self, product):
        """Return the unit to be said with a quantity of ``product``, nothing for plain pieces."""
        pieces = self.env["ir.model.data"]._xmlid_to_res_id("uom.product_uom_unit")
        return "" if product.uom_id.id == pieces else product.uom_id.name
