from datetime import timedelta

from odoo import api, fields, models

# What was counted is kept for a year: it is the proof that nothing was lost.
KEEP_DAYS = 400


class OmsChannelAudit(models.Model):
    """One hour of one channel: how many of the orders placed then the shop has, and how many are here."""

    _name = "oms.channel.audit"
    _description = "Gap Check"
    _order = "hour desc, channel_id"
    _rec_name = "hour"

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    hour = fields.Datetime(string="Orders Placed In", required=True, readonly=True, help="The hour that begins then.")
    checked_date = fields.Datetime(string="Checked On", readonly=True)
    shop_count = fields.Integer(string="In the Shop", readonly=True)
    held_count = fields.Integer(string="Here", readonly=True, help="Orders of the shop's list that are orders here.")
    waiting_count = fields.Integer(string="Waiting in the Inbox", readonly=True)
    failed_count = fields.Integer(string="Failed in the Inbox", readonly=True)
    left_count = fields.Integer(
        string="Left Out", readonly=True, help="Skipped, cancelled before they were imported, or deleted here."
    )
    extra_count = fields.Integer(
        string="Not in the Shop", readonly=True, help="Orders here that the shop's list does not have (any more)."
    )
    missed_count = fields.Integer(string="Had Been Missed", readonly=True, help="Found by this check only.")
    fetched_count = fields.Integer(string="Fetched", readonly=True, help="Missed, and brought in by this check.")
    open_count = fields.Integer(string="Still Missing", readonly=True)
    first_number = fields.Char(readonly=True)
    last_number = fields.Char(readonly=True)
    gap_count = fields.Integer(
        string="Numbers Left Out",
        readonly=True,
        help="Order numbers between the first and the last that neither the shop's list nor this database has.",
    )
    gap_numbers = fields.Char(string="Which Numbers", readonly=True)
    missed = fields.Json(readonly=True, help="{order id in the shop: {number, found, state, reason}}")
    missed_text = fields.Text(string="Missed Orders", compute="_compute_missed_text")
    state = fields.Selection(
        [
            ("complete", "Complete"),
            ("fetched", "Missed and Fetched"),
            ("waiting", "Waiting in the Inbox"),
            ("extra", "Not in the Shop"),
            ("failed", "Failed in the Inbox"),
            ("missing", "Orders Missing"),
        ],
        compute="_compute_state",
        store=True,
    )

    _hour_uniq = models.UniqueIndex("(channel_id, hour)", "This hour of the channel is there already.")
    _hour_idx = models.Index("(hour)")

    @api.depends("missed_count", "open_count", "failed_count", "extra_count", "waiting_count")
    def _compute_state(self):
        """The worst that is true."""
        counts = {
            "missing": "open_count",
            "failed": "failed_count",
            "extra": "extra_count",
            "waiting": "waiting_count",
            "fetched": "missed_count",
        }
        for audit in self:
            audit.state = next((state for state, field in counts.items() if audit[field]), "complete")

    @api.depends("missed")
    def _compute_missed_text(self):
        states = {"open": self.env._("still missing"), "fetched": self.env._("fetched")}
        for audit in self:
            audit.missed_text = "\n".join(
                " - ".join(
                    part
                    for part in (row.get("number"), external_id, states.get(row.get("state")), row.get("reason"))
                    if part
                )
                for external_id, row in sorted((audit.missed or {}).items())
            )

    @api.autovacuum
    def _gc_audits(self):
        """Delete what was counted long ago."""
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        audits = self.search([("hour", "<", limit)], limit=10000)
        audits.unlink()
        return len(audits), len(audits) == 10000
