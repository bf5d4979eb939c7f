from collections import Counter

from odoo import api, fields, models
from odoo.fields import Command

EXAMPLES = 3


class OmsMatchPreview(models.TransientModel):
    """What the matching rules of a channel would do with its unmatched listings."""

    _name = "oms.match.preview"
    _description = "Matching Preview"
    _rec_name = "channel_id"

    channel_id = fields.Many2one("oms.channel", required=True, readonly=True, ondelete="cascade")
    message = fields.Char(compute="_compute_message")
    unmatched_count = fields.Integer(string="Unmatched", readonly=True)
    match_count = fields.Integer(string="Would Match", readonly=True)
    ambiguous_count = fields.Integer(string="Ambiguous", readonly=True)
    line_ids = fields.One2many("oms.match.preview.line", "preview_id", readonly=True)

    @api.depends("unmatched_count", "match_count", "ambiguous_count")
    def _compute_message(self):
        for preview in self:
            preview.message = preview.env._(
                "Would match %(matched)s of %(all)s unmatched; ambiguous %(ambiguous)s.",
                matched=preview.match_count,
                all=preview.unmatched_count,
                ambiguous=preview.ambiguous_count,
            )

    @api.model
    def _create_for(self, channel):
        """Return the preview of one channel."""
        listings = channel.listing_ids.filtered(lambda listing: not listing.product_id)
        matches = listings._find_matches()
        single, several = Counter(), Counter()
        examples = {}
        for listing, (rule, products) in matches.items():
            if not products:
                continue
            (single if len(products) == 1 else several)[rule] += 1
            if len(examples.setdefault(rule, [])) < EXAMPLES:
                examples[rule].append(f"{listing.display_name} → {', '.join(products[:2].mapped('display_name'))}")
        return self.create(
            {
                "channel_id": channel.id,
                "unmatched_count": len(listings),
                "match_count": single.total(),
                "ambiguous_count": several.total(),
                "line_ids": [
                    Command.create(
                        {
                            "name": channel._describe_match_rule(rule),
                            "match_count": single[rule],
                            "ambiguous_count": several[rule],
                            "examples": "\n".join(examples.get(rule, ())),
                        }
                    )
                    for rule in channel._get_match_rules()
                ],
            }
        )

    def action_match(self):
        """Match what would match, and say for each listing what became of it."""
        self.ensure_one()
        return self.channel_id.listing_ids.filtered(lambda listing: not listing.product_id).action_match_each()


class OmsMatchPreviewLine(models.TransientModel):
    _name = "oms.match.preview.line"
    _description = "Matching Preview of a Rule"

    preview_id = fields.Many2one("oms.match.preview", required=True, ondelete="cascade")
    name = fields.Char(string="Rule", readonly=True)
    match_count = fields.Integer(string="Would Match", readonly=True)
    ambiguous_count = fields.Integer(string="Ambiguous", readonly=True)
    examples = fields.Text(readonly=True)
