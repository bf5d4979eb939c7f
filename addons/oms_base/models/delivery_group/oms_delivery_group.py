from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...tools import open_records


class OmsDeliveryGroup(models.Model):
    """What travels together: parts of one order or of several.

    Orders and their lines stay as they are, so each keeps its own feedback to the shop, invoice and refund. An order
    without groups is one unit by itself, and none of this is asked about it.
    """

    _name = "oms.delivery.group"
    _description = "Delivery Group"
    _order = "id desc"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True, copy=False)
    company_id = fields.Many2one("res.company", required=True, index=True, readonly=True)
    partner_id = fields.Many2one("res.partner", string="Delivery Address", required=True, index=True, readonly=True)
    currency_id = fields.Many2one("res.currency", required=True, readonly=True)
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        check_company=True,
        index="btree_not_null",
        readonly=True,
        help="The warehouse these goods come from, where they were told apart by it.",
    )
    # Moves of one reference land in one transfer, those of different ones never do: it keeps a group together.
    reference_id = fields.Many2one("stock.reference", required=True, index=True, ondelete="restrict", readonly=True)
    reason = fields.Char(readonly=True, help="Why it is a part of its own.")
    planned_date = fields.Datetime(
        string="Ship On", help="Taken as the date of its transfers, and when a waiting group goes to the warehouse."
    )
    is_waiting = fields.Boolean(
        string="Waits", readonly=True, help="Not asked of the warehouse before it is launched or its date has come."
    )
    line_ids = fields.One2many("oms.delivery.group.line", "group_id", string="Content", readonly=True)
    picking_ids = fields.One2many("stock.picking", "oms_delivery_group_id", string="Transfers", readonly=True)
    # Written by the same transactions that write the stage of its orders; lists and filters need it.
    state = fields.Selection(
        [("planned", "Planned"), ("waiting", "Waiting"), ("open", "In the Warehouse"), ("shipped", "Shipped")],
        compute="_compute_state",
        store=True,
        index=True,
    )
    order_ids = fields.Many2many(
        "sale.order", string="Orders", compute="_compute_order_ids", search="_search_order_ids"
    )
    order_count = fields.Integer(compute="_compute_order_ids")
    picking_count = fields.Integer(string="Transfer Count", compute="_compute_picking_count")
    weight = fields.Float(compute="_compute_weight", digits="Stock Weight")
    amount_goods = fields.Monetary(string="Goods", compute="_compute_amounts")
    amount_discount = fields.Monetary(string="Order Discount", compute="_compute_amounts")
    amount_shipping = fields.Monetary(string="Shipping", compute="_compute_amounts")
    amount_tax = fields.Monetary(string="Tax", compute="_compute_amounts")
    amount_total = fields.Monetary(string="Total", compute="_compute_amounts")

    _due_idx = models.Index("(planned_date) WHERE is_waiting IS TRUE")

    # === COMPUTE METHODS === #

    @api.depends("picking_ids.state", "is_waiting")
    def _compute_state(self):
        for group in self:
            pickings = group.picking_ids.filtered(lambda picking: picking.state != "cancel")
            if group.is_waiting:
                group.state = "waiting"
            elif any(picking.state != "done" for picking in pickings):
                group.state = "open"
            else:
                group.state = "shipped" if pickings else "planned"

    @api.depends("line_ids.order_id")
    def _compute_order_ids(self):
        for group in self:
            group.order_ids = group.line_ids.order_id.sorted("id")
            group.order_count = len(group.order_ids)

    def _search_order_ids(self, operator, value):
        return Domain("line_ids.order_id", operator, value)

    @api.depends("picking_ids")
    def _compute_picking_count(self):
        for group in self:
            group.picking_count = len(group.picking_ids)

    @api.depends("line_ids.quantity", "line_ids.product_id.weight")
    def _compute_weight(self):
        for group in self:
            group.weight = sum(row.line_id._oms_get_weight(row.quantity) for row in group.line_ids)

    @api.depends("line_ids.amount_total")
    def _compute_amounts(self):
        for group in self:
            for name in ("amount_goods", "amount_discount", "amount_shipping", "amount_tax", "amount_total"):
                group[name] = sum(group.line_ids.mapped(name))

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # sudo: ir.sequence, stock.reference - what keeps goods together is not the business of who groups them
        sequence_sudo = self.env["ir.sequence"].sudo()
        names = [sequence_sudo.next_by_code("oms.delivery.group") for _vals in vals_list]
        references = self.env["stock.reference"].sudo().create([{"name": name} for name in names])
        return super().create(
            [
                {**vals, "name": name, "reference_id": reference.id}
                for vals, name, reference in zip(vals_list, names, references, strict=True)
            ]
        )

    def write(self, vals):
        res = super().write(vals)
        if vals.get("planned_date"):
            # sudo: stock.move - customer service plans, the warehouse's documents follow
            moves_sudo = self.sudo().picking_ids.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
            moves_sudo.write({"date": vals["planned_date"], "date_deadline": vals["planned_date"]})
        return res

    # === ACTION METHODS === #

    def action_launch(self):
        """Ask the warehouse for what waits in these groups."""
        waiting = self.filtered("is_waiting")
        waiting.order_ids.check_access("write")
        # sudo: oms.delivery.group - what a group waits for is decided by its orders, which the user may write
        waiting.sudo()._launch()
        return True

    def action_merge(self):
        """Put these groups together into the first of them."""
        self.order_ids.check_access("write")
        return self._oms_merge()._get_form_action()

    def action_undo(self):
        """Take these groups back: merged orders go apart again, a part of an order goes back to the rest of it."""
        self.order_ids.check_access("write")
        for group in self.sudo().sorted("id"):
            if group.exists():
                group._undo()
        return {"type": "ir.actions.client", "tag": "soft_reload"} if self.exists() else self._get_list_action()

    def action_open_split(self):
        """Open the wizard that splits this group."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_delivery_split_action")
        return {**action, "context": {"default_group_id": self.id, "dialog_size": "extra-large"}}

    def action_view_orders(self):
        """Open the orders of these groups."""
        return open_records(self.order_ids, "oms_base.sale_order_action")

    def action_view_pickings(self):
        """Open the transfers of these groups."""
        return open_records(self.picking_ids, "stock.action_picking_tree_all")

    def _get_form_action(self):
        return {"type": "ir.actions.act_window", "res_model": self._name, "res_id": self.id, "views": [(False, "form")]}

    def _get_list_action(self):
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_delivery_group_action"),
            "target": "main",
        }

    # === BUSINESS METHODS === #

    def _launch(self):
        """Let these groups wait no longer."""
        self.is_waiting = False
        self.line_ids.line_id._oms_relaunch()

    @api.model
    def _cron_launch_groups(self):
        """Launch the waiting groups whose date has come."""
        now = fields.Datetime.now()
        is_due = Domain("wait_until", "=", False) & Domain("planned_date", "<=", now) | Domain("wait_until", "<=", now)
        domain = Domain("is_waiting", "=", True) & is_due
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=self.search_count(domain))
        for group in self.search(domain, order="planned_date, id", limit=1000):
            group = group.try_lock_for_update().filtered_domain(domain)
            group._launch_or_hold()
            if not cron._commit_progress(1):
                break

    def _launch_or_hold(self):
        """Launch one group. Held orders keep it waiting, but for those it waited for long enough; any other refusal
        becomes a hold with the reason."""
        orders = self.order_ids - (self.late_order_ids if self.wait_until else self.env["sale.order"])
        if not self or orders - orders._oms_filter_open("allocate"):
            return
        try:
            with self.env.cr.savepoint():
                self._launch()
        except UserError as error:
            self.order_ids._oms_place_hold("error", f"{self.name}: {error}")

    def _get_release_problem(self):
        """Return the sentence that says why these groups can't be changed any more, or an empty string."""
        released = self.picking_ids.filtered(lambda picking: picking._oms_is_released())
        if not released:
            return ""
        return self.env._(
            "the warehouse works on %(transfers)s already", transfers=", ".join(sorted(released.mapped("name")))
        )

    def _check_not_released(self):
        """Refuse to change groups that the warehouse works on.

        :raise UserError: naming the group and the transfer
        """
        for group in self:
            if problem := group._get_release_problem():
                raise UserError(
                    self.env._(
                        "%(group)s can't be changed: %(reason)s. Take the goods back from picking, or let them go.",
                        group=group.name,
                        reason=problem,
                    )
                )

    def _prepare_procurement_values(self):
        """Return what a procurement for this group says other than one for its order. Can be extended."""
        self.ensure_one()
        values = {
            "reference_ids": self.reference_id,
            "oms_delivery_group_id": self.id,
            "partner_id": self.partner_id.id,
        }
        if self.planned_date:
            values |= {"date_planned": self.planned_date, "date_deadline": self.planned_date}
        return values
