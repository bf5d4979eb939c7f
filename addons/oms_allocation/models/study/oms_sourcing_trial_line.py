from odoo import fields, models


class OmsSourcingTrialLine(models.Model):
    """How one order would be sourced on both sides of a trial: _a is what it is compared with, _b is what is tried."""

    _name = "oms.sourcing.trial.line"
    _description = "Sourcing Trial Result"
    _order = "id"
    _log_access = False

    trial_id = fields.Many2one("oms.sourcing.trial", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="trial_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="trial_id.currency_id")
    order_id = fields.Many2one("sale.order", index="btree_not_null", ondelete="cascade", readonly=True)
    channel_id = fields.Many2one("oms.channel", index="btree_not_null", ondelete="cascade", readonly=True)
    changed = fields.Integer(string="Otherwise", readonly=True, help="1 when it would be sourced otherwise.")
    warehouses_a = fields.Char(string="From (Before)", readonly=True)
    warehouses_b = fields.Char(string="From (Tried)", readonly=True)
    parcels_a = fields.Integer(string="Parcels (Before)", readonly=True)
    parcels_b = fields.Integer(string="Parcels (Tried)", readonly=True)
    cost_a = fields.Monetary(string="Cost (Before)", readonly=True)
    cost_b = fields.Monetary(string="Cost (Tried)", readonly=True)
    distance_km_a = fields.Float(string="km (Before)", digits=(12, 1), readonly=True)
    distance_km_b = fields.Float(string="km (Tried)", digits=(12, 1), readonly=True)
    missing_a = fields.Float(string="Missing (Before)", digits="Product Unit", readonly=True)
    missing_b = fields.Float(string="Missing (Tried)", digits="Product Unit", readonly=True)
    split_a = fields.Integer(string="Split (Before)", readonly=True)
    split_b = fields.Integer(string="Split (Tried)", readonly=True)
    kept_a = fields.Integer(string="Promise Kept (Before)", readonly=True)
    kept_b = fields.Integer(string="Promise Kept (Tried)", readonly=True)
    promised_a = fields.Integer(string="With a Promise (Before)", readonly=True)
    promised_b = fields.Integer(string="With a Promise (Tried)", readonly=True)
    age_a = fields.Float(string="Younger Stock (Before)", readonly=True)
    age_b = fields.Float(string="Younger Stock (Tried)", readonly=True)
    load_a = fields.Float(string="Capacity (Before)", digits=(12, 4), readonly=True, help="In days of a warehouse.")
    load_b = fields.Float(string="Capacity (Tried)", digits=(12, 4), readonly=True, help="In days of a warehouse.")
    data = fields.Json(readonly=True, help="The explanations of both sides: {'a': ..., 'b': ...}.")
    why_a = fields.Html(string="Why (Before)", compute="_compute_why", sanitize=False)
    why_b = fields.Html(string="Why (Tried)", compute="_compute_why", sanitize=False)

    def _compute_why(self):
        order = self.env["sale.order"]
        for line in self:
            for side in "ab":
                why = (line.data or {}).get(side)
                line[f"why_{side}"] = (
                    self.env["ir.qweb"]._render("oms_allocation.allocation_why", order._prepare_why_values(why))
                    if why
                    else False
                )
