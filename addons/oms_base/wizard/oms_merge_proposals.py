from odoo import api, fields, models
from odoo.fields import Command

# What a person can look through; the rest comes when these are done.
MAX_ORDERS = 500


class OmsMergeProposals(models.TransientModel):
    """The orders that could travel together now, parcel by parcel."""

    _name = "oms.merge.proposals"
    _description = "Merge Proposals"

    proposal_ids = fields.One2many("oms.merge.proposal", "wizard_id", string="Proposals")

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if "proposal_ids" in fields:
            values["proposal_ids"] = [
                Command.create({"order_ids": [Command.set(orders.ids)]}) for orders in self._find_proposals()
            ]
        return values

    @api.model
    def action_open(self):
        """Show what could travel together now. It is saved first: rows of what is not have no buttons."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_merge_proposals_action")
        return {**action, "res_id": self.create({}).id}

    @api.depends_context("lang")
    def _compute_display_name(self):
        self.display_name = self.env._("Merge Proposals")

    @api.model
    def _find_proposals(self):
        """Return the sets of open orders that can go in one parcel, the oldest first."""
        Order = self.env["sale.order"]
        orders = Order.search(Order._get_merge_queue_domain(), order="date_order, id", limit=MAX_ORDERS)
        return list(orders._oms_find_merge_candidates().values())

    def action_merge_all(self):
        """Merge all that is proposed."""
        self.proposal_ids.order_ids._oms_merge_with_candidates()
        return self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_delivery_group_action")


class OmsMergeProposal(models.TransientModel):
    _name = "oms.merge.proposal"
    _description = "Merge Proposal"

    wizard_id = fields.Many2one("oms.merge.proposals", required=True, ondelete="cascade", index=True)
    order_ids = fields.Many2many("sale.order", string="Orders")
    partner_id = fields.Many2one("res.partner", string="Delivery Address", compute="_compute_figures")
    channel_names = fields.Char(string="Channels", compute="_compute_figures")
    order_count = fields.Integer(string="Number of Orders", compute="_compute_figures")
    weight = fields.Float(digits="Stock Weight", compute="_compute_figures")
    currency_id = fields.Many2one("res.currency", compute="_compute_figures")
    amount_total = fields.Monetary(string="Total", compute="_compute_figures")
    group_id = fields.Many2one("oms.delivery.group", string="Merged", readonly=True)

    @api.depends("order_ids")
    def _compute_figures(self):
        for proposal in self:
            orders = proposal.order_ids
            proposal.partner_id = orders.partner_shipping_id[:1]
            proposal.channel_names = ", ".join(orders.channel_id.mapped("name"))
            proposal.order_count = len(orders)
            proposal.weight = sum(
                line._oms_get_weight(line.product_uom_qty) for line in orders._oms_get_shippable_lines()
            )
            proposal.currency_id = orders.currency_id[:1]
            proposal.amount_total = sum(orders.mapped("amount_total"))

    def action_merge(self):
        """Put the orders of this proposal into one parcel."""
        for proposal in self:
            proposal.group_id = proposal.order_ids._oms_merge()
