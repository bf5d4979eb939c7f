import logging
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import ormcache

from ..const import GONE_PARCEL_STATES, OPEN_PARCEL_STATES, PARCEL_STATES, WAYBILL_STATES

_logger = logging.getLogger(__name__)


class OmsParcel(models.Model):
    _name = "oms.parcel"
    _description = "Parcel"
    _inherit = ["portal.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    # The legal moves. Tracking replays its events over the same table, see `_apply_tracking`.
    _TRANSITIONS = {
        "draft": {"packed", "labelled", "shipped", "cancelled"},
        "packed": {"draft", "labelled", "shipped", "cancelled"},
        "labelled": {"packed", "shipped", "cancelled"},
        "shipped": {"in_transit", "out_for_delivery", "delivered", "exception", "returned", "cancelled"},
        "in_transit": {"out_for_delivery", "delivered", "exception", "returned"},
        "out_for_delivery": {"in_transit", "delivered", "exception", "returned"},
        "exception": {"in_transit", "out_for_delivery", "delivered", "returned"},
        "delivered": {"exception", "returned"},  # a carrier may take a delivery back
    }

    name = fields.Char(compute="_compute_name", store=True, index="trigram")
    number = fields.Integer(
        readonly=True, required=True, default=1, copy=False, help="Counts the parcels of a transfer."
    )
    state = fields.Selection(
        PARCEL_STATES,
        required=True,
        default="draft",
        readonly=True,
        index=True,
        copy=False,
        group_expand="_group_expand_state",
    )

    # what it belongs to
    picking_id = fields.Many2one(
        "stock.picking",
        string="Transfer",
        required=True,
        index=True,
        readonly=True,
        ondelete="cascade",
        domain=[("picking_type_code", "=", "outgoing")],
        check_company=True,
    )
    company_id = fields.Many2one(related="picking_id.company_id", store=True, index=True)
    sale_id = fields.Many2one(related="picking_id.sale_id", string="Order", store=True, index="btree_not_null")
    channel_id = fields.Many2one(related="sale_id.channel_id", store=True, index="btree_not_null")
    partner_id = fields.Many2one(related="picking_id.partner_id", string="Receiver", store=True, index="btree_not_null")
    warehouse_id = fields.Many2one(related="picking_id.picking_type_id.warehouse_id", store=True, index=True)

    # what is in it
    line_ids = fields.One2many("oms.parcel.line", "parcel_id", string="Content")
    package_id = fields.Many2one("stock.package", index="btree_not_null", check_company=True, readonly=True)
    package_type_id = fields.Many2one(
        "stock.package.type",
        string="Packaging",
        compute="_compute_package_type_id",
        store=True,
        readonly=False,
        check_company=True,
        help="Its own weight counts in the expected weight.",
    )
    quantity = fields.Float(string="Pieces", compute="_compute_quantity", store=True, digits="Product Unit")
    weight_expected = fields.Float(
        string="Expected Weight (kg)",
        compute="_compute_weight_expected",
        store=True,
        digits="Stock Weight",
        help="Products and packaging.",
    )
    weight_gross = fields.Float(
        string="Gross Weight (kg)", digits="Stock Weight", copy=False, help="As measured. 0 when not weighed."
    )
    weight_check = fields.Selection(
        [("none", "Not Weighed"), ("ok", "Within Tolerance"), ("off", "Out of Tolerance"), ("forced", "Accepted")],
        compute="_compute_weight_check",
        search="_search_weight_check",
    )
    weight_forced_by_id = fields.Many2one("res.users", string="Weight Accepted By", readonly=True, copy=False)

    # how it travels
    carrier_id = fields.Many2one(
        "delivery.carrier", compute="_compute_carrier_id", store=True, index="btree_not_null", check_company=True
    )
    tracking_number = fields.Char(string="Waybill", copy=False, index="trigram", tracking=True)
    waybill_state = fields.Selection(WAYBILL_STATES, required=True, default="to_assign", readonly=True, copy=False)
    waybill_range_id = fields.Many2one("oms.waybill.range", readonly=True, copy=False, index="btree_not_null")
    tracking_url = fields.Char(compute="_compute_tracking_url")
    price = fields.Monetary(string="Shipping Cost", readonly=True, copy=False, help="By the carrier's tariff.")
    currency_id = fields.Many2one(related="company_id.currency_id")

    # when
    packed_date = fields.Datetime(string="Packed On", readonly=True, copy=False)
    label_date = fields.Datetime(string="Label Printed", readonly=True, copy=False)
    shipped_date = fields.Datetime(string="Handed Over On", readonly=True, copy=False, index="btree_not_null")
    delivered_date = fields.Datetime(string="Delivered On", readonly=True, copy=False, index="btree_not_null")

    _picking_number_uniq = models.Constraint(
        "UNIQUE(picking_id, number)", "The parcels of a transfer are counted one by one: reload the page and try again."
    )
    # A recycled number has gone back to its range, or to whoever typed it, and may be on another parcel by now.
    _tracking_number_uniq = models.UniqueIndex(
        "(carrier_id, tracking_number) WHERE waybill_state != 'recycled'",
        "This waybill number is on another parcel of the same carrier.",
    )

    # === COMPUTE METHODS === #

    @api.depends("picking_id.name", "number")
    def _compute_name(self):
        for parcel in self:
            parcel.name = f"{parcel.picking_id.name or ''}-P{parcel.number}"

    @api.depends("package_id")
    def _compute_package_type_id(self):
        for parcel in self:
            parcel.package_type_id = parcel.package_id.package_type_id or parcel.package_type_id

    @api.depends("line_ids.quantity")
    def _compute_quantity(self):
        for parcel in self:
            parcel.quantity = sum(parcel.line_ids.mapped("quantity"))

    @api.depends("line_ids.quantity", "line_ids.product_id", "package_type_id")
    def _compute_weight_expected(self):
        """Weights of products and packagings are read once: a later change of them rewrites no past parcel."""
        to_kg = self._get_kilogram_factor()
        for parcel in self:
            net = sum(line.quantity * line.product_id.weight for line in parcel.line_ids)
            parcel.weight_expected = (net + parcel.package_type_id.base_weight) * to_kg

    @api.depends("weight_gross", "weight_expected", "weight_forced_by_id", "company_id")
    def _compute_weight_check(self):
        for parcel in self:
            if not parcel.weight_gross:
                parcel.weight_check = "none"
            elif parcel._is_weight_within_tolerance():
                parcel.weight_check = "ok"
            else:
                parcel.weight_check = "forced" if parcel.weight_forced_by_id else "off"

    def _search_weight_check(self, operator, value):
        if operator != "in":
            return NotImplemented
        open_parcels = self.search([("state", "in", OPEN_PARCEL_STATES)])
        return [("id", "in", open_parcels.filtered(lambda parcel: parcel.weight_check in value).ids)]

    @api.depends("picking_id.carrier_id")
    def _compute_carrier_id(self):
        """The transfer's carrier, until a waybill number ties the parcel to the carrier who gave it."""
        for parcel in self:
            parcel.carrier_id = (parcel.tracking_number and parcel.carrier_id) or parcel.picking_id.carrier_id

    @api.depends("tracking_number", "carrier_id.tracking_url")
    def _compute_tracking_url(self):
        for parcel in self:
            template = parcel.carrier_id.tracking_url
            filled = template and parcel.tracking_number
            parcel.tracking_url = (
                template.replace("<shipmenttrackingnumber>", parcel.tracking_number) if filled else False
            )

    @api.model
    def _group_expand_state(self, states, domain):
        """Columns in the order of the way, the usual ones also when they are empty."""
        usual = (*OPEN_PARCEL_STATES, "shipped", "in_transit", "out_for_delivery", "delivered")
        return [state for state, _label in PARCEL_STATES if state in usual or state in states]

    def _compute_access_url(self):
        """Override of `portal`: the page a buyer's tracking link opens."""
        res = super()._compute_access_url()
        for parcel in self:
            parcel.access_url = f"/my/parcel/{parcel.id}"
        return res

    # === CRUD METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_numbered(self):
        """A waybill number must stay accounted for."""
        for parcel in self:
            if parcel.tracking_number or parcel.state in GONE_PARCEL_STATES:
                raise UserError(
                    self.env._("Parcel %(parcel)s has a waybill: cancel it instead of deleting it.", parcel=parcel.name)
                )

    # === ACTION METHODS === #

    def action_pack(self):
        """Close the boxes: the content is complete and, when weighed, the weight fits."""
        for parcel in self:
            if not parcel.line_ids:
                raise UserError(
                    self.env._("Parcel %(parcel)s is empty: put something in or delete it.", parcel=parcel.name)
                )
        self._check_weight()
        self._set_state("packed")
        return True

    def action_unpack(self):
        """Open the boxes again. Their waybills are kept until they are cancelled."""
        self._set_state("draft")
        return True

    def action_cancel(self):
        """Give the parcels up, and their waybill numbers back where they may be used again."""
        cancelled = self._set_state("cancelled")
        cancelled._release_waybills()
        if stuck := (self - cancelled).filtered(lambda parcel: parcel.state != "cancelled"):
            raise UserError(
                self.env._(
                    "Parcel %(parcel)s is on its way: ask the carrier to intercept it.",
                    parcel=", ".join(stuck.mapped("name")),
                )
            )
        return True

    def action_accept_weight(self):
        """Accept weights out of tolerance; who did it is kept."""
        if not self.env.user.has_group("oms_base.oms_base_group_manager"):
            raise UserError(self.env._("Only an OMS manager may accept a weight out of tolerance."))
        self.weight_forced_by_id = self.env.user
        return True

    def _get_orders(self):
        """Return the orders that one parcel has goods of: several, where orders travel together."""
        self.ensure_one()
        if not self.picking_id.oms_delivery_group_id:
            return self.sale_id
        return self.line_ids.move_id.sale_line_id.order_id or self.sale_id

    def _get_order_names(self):
        """Return the numbers by which the buyer knows the orders in one parcel."""
        self.ensure_one()
        names = [order.channel_order_ref or order.name for order in self._get_orders()]
        return ", ".join(names) or self.picking_id.origin

    def _get_visitor_zone(self, user):
        """Return the name of the time zone in which the way of one parcel is shown in the portal, False for the user's
        own. Who has a link and no login has none: then the receiver's counts, or the sender's.

        :param user: who looks; the record itself comes with the rights of the system
        """
        self.ensure_one()
        if not user._is_public():
            return False
        return self.partner_id.tz or self.warehouse_id.partner_id.tz or self.company_id.partner_id.tz

    # === BUSINESS METHODS === #

    def _set_state(self, target):
        """Move the parcels that may reach ``target`` and return them; the others are logged and left alone."""
        movable = self.filtered(lambda parcel: target in self._TRANSITIONS.get(parcel.state, ()))
        for parcel in self - movable:
            if parcel.state != target:
                _logger.info("Parcel %s stays in %s, asked for %s", parcel.name, parcel.state, target)
        if movable:
            movable.write({"state": target, **self._prepare_state_dates(target)})
            movable._log_state(target)
        return movable

    @api.model
    def _prepare_state_dates(self, target):
        now = fields.Datetime.now()
        return {field: now for field in {"packed": ["packed_date"], "shipped": ["shipped_date"]}.get(target, ())}

    def _has_content(self, content):
        """Whether what is in this parcel is exactly ``content``.

        :param dict content: {(stock.package, stock.move, stock.lot): quantity}
        """
        self.ensure_one()
        balance = defaultdict(float)
        for (_package, move, lot), quantity in content.items():
            balance[move, lot] += quantity
        for line in self.line_ids:
            balance[line.move_id, line.lot_id] -= line.quantity
        return all(move.product_id.uom_id.is_zero(quantity) for (move, _lot), quantity in balance.items())

    def _set_weight(self, weight):
        """Store the measured weight; a new measure takes an earlier acceptance back.

        :param float weight: gross weight in kilograms
        """
        if weight <= 0:
            raise UserError(self.env._("A parcel weighs more than zero: put it on the scale again."))
        self.write({"weight_gross": weight, "weight_forced_by_id": False})

    def _check_weight(self):
        """Raise for parcels whose measured weight does not fit what should be in them."""
        for parcel in self:
            if parcel.weight_check == "off":
                raise UserError(
                    self.env._(
                        "Parcel %(parcel)s weighs %(gross).3f kg, expected %(expected).3f kg: check what is in it and"
                        " weigh it again, or have an OMS manager accept the weight.",
                        parcel=parcel.name,
                        gross=parcel.weight_gross,
                        expected=parcel.weight_expected,
                    )
                )

    def _is_weight_within_tolerance(self):
        """Whether the measured weight fits. Nothing can be said of products without a weight."""
        self.ensure_one()
        if not self.weight_expected:
            return True
        company = self.company_id
        allowed = max(company.oms_weight_tolerance, self.weight_expected * company.oms_weight_tolerance_percent / 100)
        return abs(self.weight_gross - self.weight_expected) <= allowed + 1e-6

    # Asked for every order, changed with a system parameter, which clears this cache.
    @api.model
    @ormcache()
    def _get_kilogram_factor(self):
        """Return what turns a product's weight into kilograms."""
        unit = self.env["product.template"]._get_weight_uom_id_from_ir_config_parameter()
        return unit._compute_quantity(1.0, self.env.ref("uom.product_uom_kgm"), round=False)

    @api.model
    @ormcache()
    def _get_cubic_metre_factor(self):
        """Return what turns a product's volume into cubic metres."""
        unit = self.env["product.template"]._get_volume_uom_id_from_ir_config_parameter()
        return unit._compute_quantity(1.0, self.env.ref("uom.product_uom_cubic_meter"), round=False)

    def _get_weight(self):
        """Return the weight in kilograms that the carrier charges and the label shows."""
        self.ensure_one()
        return self.weight_gross or self.weight_expected

    @api.model
    def _get_address_lines(self, partner):
        """Return an address as a label shows it: in the order of its country, without the name."""
        text = partner._display_address(without_company=True)
        return [line.strip() for line in text.splitlines() if line.strip()]
