import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from odoo.addons.oms_base.tools import open_records

_logger = logging.getLogger(__name__)

# The goods are, or should be, on their way back or in our hands, and the case is open.
RETURNING_STATES = ("approved", "received", "inspected")
# What the buyer got is still undecided.
OPEN_STATES = ("draft", "requested", *RETURNING_STATES)


class OmsReturn(models.Model):
    """What a buyer sends back, or is refunded for, and how far that is.

    Three axes, kept apart: approval (``state``), goods (``reception_state``) and money (``money_state``); the goods and
    the money are derived from stock moves and credit notes.
    """

    _name = "oms.return"
    _description = "Return"
    _inherit = ["portal.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True
    # Warehouse and accounting leave their notes, and write nothing else by hand.
    _mail_post_access = "read"

    _TRANSITIONS = {
        "draft": {"requested", "cancelled"},
        "requested": {"approved", "refused", "cancelled"},
        "approved": {"received", "done", "cancelled"},
        "received": {"inspected"},
        "inspected": {"received", "done"},
    }
    _EVENTS = {
        "requested": "return_requested",
        "approved": "return_approved",
        "refused": "return_refused",
        "inspected": "return_inspected",
        "done": "return_done",
        "cancelled": "return_cancelled",
    }

    name = fields.Char(
        string="Reference", required=True, readonly=True, copy=False, default=lambda self: self.env._("New")
    )
    type = fields.Selection(
        [("return", "Return of Goods"), ("refund_only", "Refund Only")],
        required=True,
        default="return",
        tracking=True,
        help="Refund Only gives money back without goods: what is not delivered yet is cancelled, what is delivered "
        "stays with the buyer.",
    )
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("requested", "Requested"),
            ("approved", "Approved"),
            ("received", "Received"),
            ("inspected", "Inspected"),
            ("done", "Done"),
            ("refused", "Refused"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        readonly=True,
        default="draft",
        copy=False,
        index=True,
        tracking=True,
    )
    reception_state = fields.Selection(
        [
            ("none", "Nothing Expected"),
            ("waiting", "To Receive"),
            ("partial", "Partly Received"),
            ("full", "Received"),
            ("stopped", "Not Coming"),
        ],
        string="Goods",
        compute="_compute_reception_state",
        store=True,
    )
    money_state = fields.Selection(
        [
            ("none", "Not Due"),
            ("due", "To Credit"),
            ("draft", "Draft"),
            ("posted", "To Refund"),
            ("paid", "Refunded"),
        ],
        string="Money",
        compute="_compute_money_state",
        store=True,
    )

    partner_id = fields.Many2one("res.partner", string="Buyer", required=True, index=True, tracking=True)
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    line_ids = fields.One2many("oms.return.line", "return_id", string="Lines", copy=True)
    order_ids = fields.Many2many("sale.order", string="Orders", compute="_compute_order_ids", store=True)
    channel_id = fields.Many2one("oms.channel", compute="_compute_order_ids", store=True, index="btree_not_null")
    currency_id = fields.Many2one("res.currency", compute="_compute_order_ids", store=True)
    policy_id = fields.Many2one(
        "oms.return.policy",
        compute="_compute_policy_id",
        store=True,
        readonly=False,
        check_company=True,
        tracking=True,
    )
    user_id = fields.Many2one("res.users", string="Responsible", default=lambda self: self.env.user, tracking=True)
    request_date = fields.Datetime(string="Requested On", readonly=True, copy=False)
    # One form of the portal makes one return, however often it is sent.
    request_key = fields.Char(readonly=True, copy=False)
    buyer_note = fields.Text(string="Buyer's Note")
    refusal_reason = fields.Text(copy=False, help="Sent to the buyer.")
    policy_errors = fields.Text(string="Against the Policy", compute="_compute_policy_errors")
    picking_ids = fields.One2many("stock.picking", "oms_return_id", string="Transfers")
    order_count = fields.Integer(compute="_compute_order_count")
    picking_count = fields.Integer(compute="_compute_document_counts")
    credit_note_ids = fields.One2many("account.move", "oms_return_id", string="Credit Notes")
    credit_note_count = fields.Integer(compute="_compute_document_counts")
    inspection_ids = fields.One2many("oms.return.inspection", "return_id", string="Inspections")
    amount_asked = fields.Monetary(
        compute="_compute_amount_asked", store=True, help="Worth of what was asked, taxes included."
    )
    amount_credited = fields.Monetary(compute="_compute_amount_credited", help="Total of the posted credit notes.")
    qty_to_inspect = fields.Float(string="To Inspect", compute="_compute_qty_to_inspect", digits="Product Unit")

    _request_key_uniq = models.UniqueIndex(
        "(request_key) WHERE request_key IS NOT NULL", "This request is already there."
    )
    _open_idx = models.Index("(company_id, state) WHERE state NOT IN ('done', 'refused', 'cancelled')")

    # === COMPUTE METHODS === #

    @api.depends("line_ids.order_id.channel_id", "line_ids.order_id.currency_id", "company_id")
    def _compute_order_ids(self):
        for oms_return in self:
            orders = oms_return.line_ids.order_id
            oms_return.order_ids = orders
            oms_return.channel_id = orders.channel_id[:1]
            oms_return.currency_id = orders.currency_id[:1] or oms_return.company_id.currency_id

    @api.depends("order_ids", "channel_id", "company_id")
    def _compute_policy_id(self):
        policies = self.env["oms.return.policy"]._find_policies(self.order_ids)
        for oms_return in self:
            policy = policies.get(oms_return.order_ids[:1]._origin, oms_return.policy_id)
            oms_return.policy_id = oms_return.policy_id if oms_return.state not in ("draft", False) else policy

    @api.depends("type", "state", "line_ids.qty_received", "line_ids.quantity", "line_ids.move_ids.state")
    def _compute_reception_state(self):
        for oms_return in self:
            oms_return.reception_state = oms_return._get_reception_state()

    @api.depends("state", "line_ids.qty_to_credit", "line_ids.amount_to_credit", "credit_note_ids.payment_state")
    @api.depends("credit_note_ids.state")
    def _compute_money_state(self):
        for oms_return in self:
            oms_return.money_state = oms_return._get_money_state()

    @api.depends(
        "type", "line_ids.sale_line_id", "line_ids.quantity", "line_ids.reason_id", "line_ids.photo_ids", "policy_id"
    )
    def _compute_policy_errors(self):
        for oms_return in self:
            errors = oms_return._get_errors() if oms_return.state in ("draft", "requested") else []
            oms_return.policy_errors = "\n".join(errors) or False

    @api.depends("line_ids.amount_asked")
    def _compute_amount_asked(self):
        for oms_return in self:
            oms_return.amount_asked = sum(oms_return.line_ids.mapped("amount_asked"))

    @api.depends("credit_note_ids.amount_total", "credit_note_ids.state")
    def _compute_amount_credited(self):
        for oms_return in self:
            # sudo: account.move - the amount is no secret to those who handle the return
            posted_sudo = oms_return.sudo().credit_note_ids.filtered(lambda move: move.state == "posted")
            oms_return.amount_credited = sum(posted_sudo.mapped("amount_total"))

    @api.depends("line_ids.qty_to_inspect")
    def _compute_qty_to_inspect(self):
        for oms_return in self:
            oms_return.qty_to_inspect = sum(oms_return.line_ids.mapped("qty_to_inspect"))

    @api.depends("order_ids")
    def _compute_order_count(self):
        for oms_return in self:
            oms_return.order_count = len(oms_return.order_ids)

    def _compute_document_counts(self):
        # sudo: account.move, stock.picking - the buttons are shown to those who may open them
        pickings = dict(
            self.env["stock.picking"]
            .sudo()
            ._read_group([("oms_return_id", "in", self.ids)], ["oms_return_id"], ["__count"])
        )
        moves = dict(
            self.env["account.move"]
            .sudo()
            ._read_group([("oms_return_id", "in", self.ids)], ["oms_return_id"], ["__count"])
        )
        for oms_return in self:
            oms_return.picking_count = pickings.get(oms_return.sudo(), 0)
            oms_return.credit_note_count = moves.get(oms_return.sudo(), 0)

    def _compute_access_url(self):
        res = super()._compute_access_url()
        for oms_return in self:
            oms_return.access_url = f"/my/returns/{oms_return.id}"
        return res

    # === CONSTRAINT METHODS === #

    @api.constrains("line_ids", "partner_id", "company_id")
    def _check_orders(self):
        for oms_return in self:
            orders = oms_return.line_ids.order_id
            buyers = orders.partner_id.commercial_partner_id | oms_return.partner_id.commercial_partner_id
            if (
                len(buyers) > 1
                or orders.company_id - oms_return.company_id
                or len(orders.currency_id) > 1
                or len(orders.grouped("channel_id")) > 1
            ):
                raise ValidationError(
                    self.env._(
                        "The orders of return %(name)s must be of the same buyer, company, channel and currency. "
                        "Make one return for each.",
                        name=oms_return.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("state", "draft") != "draft":
                self._refuse_state_by_hand()
            if vals.get("name", self.env._("New")) == self.env._("New"):
                company = vals.get("company_id") or self.env.company.id
                vals["name"] = self.env["ir.sequence"].with_company(company).next_by_code("oms.return") or self.env._(
                    "New"
                )
        return super().create(vals_list)

    def write(self, vals):
        if "state" in vals:
            self._refuse_state_by_hand()
        return super().write(vals)

    def _refuse_state_by_hand(self):
        if not self.env.su:
            raise AccessError(self.env._("The state of a return follows from what is done with it. Use its buttons."))

    @api.ondelete(at_uninstall=False)
    def _unlink_except_handled(self):
        for oms_return in self:
            if oms_return.state not in ("draft", "cancelled"):
                raise UserError(self.env._("Return %(name)s is in progress. Cancel it instead.", name=oms_return.name))

    # === STATE === #

    def _set_state(self, target):
        """Move the returns that may reach ``target`` and return them; the others are logged and left alone.

        :param target: key of ``state``
        """
        movable = self.filtered(lambda oms_return: target in self._TRANSITIONS.get(oms_return.state, ()))
        for oms_return in self - movable:
            _logger.info("Return %s stays in %s, asked for %s", oms_return.name, oms_return.state, target)
        # sudo: oms.return - only these methods move the state; warehouse and accounting may not write the rest
        movable.sudo().state = target
        if event := self._EVENTS.get(target):
            movable._log_event(event)
        return movable

    def _log_event(self, code, message=None):
        """Write the event on the timeline of each return's orders."""
        for oms_return in self.sudo():  # sudo: sale.order - the warehouse moves returns of orders it may not read
            oms_return.order_ids._oms_log_event(code, document=oms_return, message=message or oms_return.name)

    def _sync_state(self):
        """Follow what the transfers, inspections and credit notes say. Repeating it changes nothing."""
        self.filtered(lambda oms_return: oms_return._is_just_received())._set_state("received")
        inspected = self.filtered(lambda oms_return: oms_return._is_just_inspected())._set_state("inspected")
        inspected._credit_by_policy()
        self.filtered(lambda oms_return: oms_return._is_settled())._set_state("done")

    def _is_just_received(self):
        self.ensure_one()
        if self.state == "inspected":
            return bool(self.qty_to_inspect)
        return self.state == "approved" and any(self.line_ids.mapped("qty_received"))

    def _is_just_inspected(self):
        self.ensure_one()
        is_open = self.reception_state in ("waiting", "partial")
        return self.state == "received" and not is_open and not self.qty_to_inspect

    def _is_settled(self):
        self.ensure_one()
        last = "inspected" if self.type == "return" else "approved"
        return self.state == last and self.money_state in ("none", "paid")

    def _get_reception_state(self):
        self.ensure_one()
        if self.type == "refund_only":
            return "none"
        receipts = self.line_ids.move_ids.filtered(lambda move: move.location_id.usage == "customer")
        received = any(self.line_ids.mapped("qty_received"))
        if any(move.state not in ("done", "cancel") for move in receipts):
            return "partial" if received else "waiting"
        if self.state in ("draft", "requested", "refused", "cancelled"):
            return "none"
        complete = all(line.uom_id.compare(line.qty_received, line.quantity) >= 0 for line in self.line_ids)
        return "full" if complete else "stopped"

    def _get_money_state(self):
        self.ensure_one()
        credit_notes = self.credit_note_ids.filtered(lambda move: move.state != "cancel")
        if any(line._is_credit_due() for line in self.line_ids):
            return "due"
        if not credit_notes:
            return "none"
        if any(move.state == "draft" for move in credit_notes):
            return "draft"
        paid = all(move.payment_state in ("paid", "in_payment", "reversed") for move in credit_notes)
        return "paid" if paid else "posted"

    # === ACTION METHODS === #

    def action_view_orders(self):
        """Open the orders of these returns."""
        return open_records(self.order_ids, "oms_base.sale_order_action")

    def action_view_pickings(self):
        """Open the transfers of these returns."""
        return open_records(self.picking_ids, "stock.action_picking_tree_all")

    def action_view_credit_notes(self):
        """Open the credit notes of these returns."""
        return open_records(self.credit_note_ids, "account.action_move_out_refund_type")

    def _get_form_action(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": "oms.return",
            "res_id": self.id,
            "views": [(False, "form")],
        }
