from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import ormcache

from ..const import CLOSED_STAGES


class OmsChannel(models.Model):
    _name = "oms.channel"
    _description = "Sales Channel"
    _inherit = ["oms.cached.mixin", "mail.thread", "mail.activity.mixin"]
    _order = "sequence, id"
    _check_company_auto = True
    _oms_cached_fields = frozenset(("company_id", "warehouse_ids"))

    name = fields.Char(required=True, translate=True, tracking=True)
    code = fields.Char(required=True, copy=False, help="Short technical name, unique in the company.")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        default=lambda self: self.env.user,
        help="Gets the activities of this channel.",
    )
    team_id = fields.Many2one("crm.team", string="Sales Team", check_company=True)
    warehouse_ids = fields.Many2many(
        "stock.warehouse",
        string="Warehouses",
        check_company=True,
        help="Warehouses that may serve this channel. Leave empty for all warehouses of the company.",
    )
    auto_confirm = fields.Boolean(
        string="Confirm Automatically",
        default=True,
        tracking=True,
        help="Orders that no hold blocks are confirmed without a person. Otherwise they wait in the stage To Review.",
    )
    journal_id = fields.Many2one(
        "account.journal",
        string="Payment Journal",
        check_company=True,
        domain=[("type", "in", ("bank", "cash"))],
        help="What the channel collected from its buyers is booked here until the channel pays it out.",
    )
    order_ids = fields.One2many("sale.order", "channel_id", string="Orders")
    order_count = fields.Integer(compute="_compute_order_counts")
    open_order_count = fields.Integer(string="Open Orders", compute="_compute_order_counts")
    held_order_count = fields.Integer(string="On Hold", compute="_compute_order_counts")
    # compute_sudo: everybody who works for a channel sees whether it is well, not what is in its queues
    health = fields.Selection(
        [("ok", "Healthy"), ("warning", "Needs Attention"), ("error", "Broken")],
        compute="_compute_health",
        compute_sudo=True,
    )
    health_message = fields.Text(compute="_compute_health", compute_sudo=True)

    _code_uniq = models.Constraint("UNIQUE(company_id, code)", "A channel's code must be unique in its company.")

    # === COMPUTE METHODS === #

    def _compute_order_counts(self):
        self.order_count = self.open_order_count = self.held_order_count = 0
        groups = self.env["sale.order"]._read_group(
            [("channel_id", "in", self.ids)], ["channel_id", "oms_stage"], ["__count"]
        )
        for channel, stage, count in groups:
            channel.order_count += count
            channel.open_order_count += count if stage not in CLOSED_STAGES else 0
            channel.held_order_count += count if stage == "held" else 0

    def _compute_health(self):
        issues_by_channel = self._get_health_issues()
        for channel in self:
            issues = issues_by_channel.get(channel, [])
            levels = {level for level, _sentence in issues}
            channel.health = "error" if "error" in levels else "warning" if levels else "ok"
            channel.health_message = "\n".join(sentence for _level, sentence in issues)

    # === ACTION METHODS === #

    def action_view_orders(self):
        """Open the channel's orders; the context key ``oms_stage`` narrows them to one stage."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.sale_order_action")
        domain = Domain("channel_id", "=", self.id)
        if stage := self.env.context.get("oms_stage"):
            domain &= Domain("oms_stage", "=", stage)
        elif self.env.context.get("oms_open"):
            domain &= Domain("oms_stage", "not in", CLOSED_STAGES)
        return {**action, "domain": list(domain), "context": {"default_channel_id": self.id}}

    # === HOOKS === #

    def _get_health_issues(self):
        """Return what is wrong with the channels, in batch.

        To be extended by addons that know more than how old the oldest hold is.

        :return: dict {channel: [(level, sentence), ...]} with level "warning" or "error"
        """
        issues = {channel: [] for channel in self}
        limit = fields.Datetime.subtract(fields.Datetime.now(), hours=24)
        groups = self.env["oms.hold"]._read_group(
            [("order_id.channel_id", "in", self.ids), ("state", "=", "active"), ("create_date", "<", limit)],
            ["channel_id"],
            ["__count"],
        )
        for channel, count in groups:
            if channel in issues:
                issues[channel].append(("warning", self.env._("%(count)s holds are older than a day.", count=count)))
        return issues

    @api.model
    def _notify(self, topic, records):
        """Tell the channels of what happened to ``records``. Does nothing here; `oms_channels` writes outbox rows.

        :param topic: "delivered" or "return_received" with stock.picking records, "refund" with posted credit notes
        """

    def _get_warehouses(self):
        """Return the warehouses that may serve this channel, in their sequence."""
        self.ensure_one()
        return self.env["stock.warehouse"].browse(self._get_warehouse_ids())

    def _get_sellable_quantities(self, products):
        """Return what this channel may still sell of ``products`` in its warehouses, before its own rules of how much
        is told to the shop.

        `oms_allocation` overrides it: others may have stock of their own, and goods on their way may be sold already.

        :return: dict {(product id, warehouse id): quantity in the product's unit}; what is not there is 0
        """
        self.ensure_one()
        return products._oms_get_sellable_quantities(self._get_warehouses())

    def _get_offered_quantities(self, products):
        """Return {product id: quantity in the product's unit} of what this channel offers to buyers.

        `oms_channels` overrides it: less what orders want that are not confirmed yet, by the channel's own rule.
        """
        self.ensure_one()
        offered = dict.fromkeys(products.ids, 0.0)
        for (product_id, _warehouse_id), quantity in self._get_sellable_quantities(products).items():
            offered[product_id] += quantity
        return offered

    def _get_promised_demand(self):
        """Return {product id: quantity} of what orders of the company that are not confirmed yet want and that is bound
        for them: it is not among what is sellable any more, so it must not be taken off twice. Nothing here."""
        self.ensure_one()
        return {}

    @ormcache("self.id")
    def _get_warehouse_ids(self):
        channel_sudo = self.sudo()  # sudo: stock.warehouse - the answer is kept for all users
        warehouses = channel_sudo.warehouse_ids or channel_sudo.env["stock.warehouse"].search(
            [("company_id", "=", channel_sudo.company_id.id)]
        )
        return warehouses.ids
