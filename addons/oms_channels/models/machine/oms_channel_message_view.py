import json

from markupsafe import Markup

from odoo import api, fields, models

# More differing fields than this are not read by anybody.
MAX_ROWS = 200
MAX_DEPTH = 50


class OmsChannelMessage(models.Model):
    """What a message says other than the one before it of the same order, field by field."""

    _inherit = "oms.channel.message"

    # groups: they tell the buyer's name, address and phone
    previous_id = fields.Many2one(
        "oms.channel.message",
        string="Message Before",
        compute="_compute_previous_id",
        groups="oms_base.oms_base_group_manager",
    )
    difference_html = fields.Html(
        string="Differences",
        compute="_compute_difference_html",
        sanitize=False,
        groups="oms_base.oms_base_group_manager",
    )

    def _compute_previous_id(self):
        """The last message before with content."""
        before = self.search_fetch(
            [
                ("channel_id", "in", self.channel_id.ids),
                ("external_id", "in", [one for one in self.mapped("external_id") if one]),
                ("id", "<", max(self.ids, default=0)),
                *self._get_offline_domain(),
            ],
            ["channel_id", "external_id"],
            order="id desc",
        )
        groups = before.grouped(lambda message: (message.channel_id, message.external_id))
        for message in self:
            older = groups.get((message.channel_id, message.external_id), self.browse())
            message.previous_id = older.filtered(lambda one, limit=message.id: one.id < limit)[:1]

    @api.depends("previous_id")
    def _compute_difference_html(self):
        for message in self:
            has_both = message.previous_id and message._get_order_content()
            message.difference_html = message._render_differences() if has_both else False

    def _render_differences(self):
        """Return the table of what differs from the message before."""
        before, now = flatten(self.previous_id._get_order_content()), flatten(self._get_order_content())
        paths = [path for path in dict.fromkeys([*before, *now]) if before.get(path) != now.get(path)]
        if not paths:
            return Markup("<p class='text-muted'>%s</p>") % self.env._("The content is the same.")
        rows = Markup("").join(
            Markup("<tr><td><code>%s</code></td><td class='text-danger'>%s</td><td class='text-success'>%s</td></tr>")
            % (path, to_line(before.get(path)), to_line(now.get(path)))
            for path in paths[:MAX_ROWS]
        )
        more = self.env._("%(count)s more", count=len(paths) - MAX_ROWS) if len(paths) > MAX_ROWS else ""
        return Markup(
            "<table class='table table-sm'><thead><tr><th>%s</th><th>%s</th><th>%s</th></tr></thead>"
            "<tbody>%s</tbody></table><p class='text-muted'>%s</p>"
        ) % (self.env._("Field"), self.env._("Before"), self.env._("Now"), rows, more)


def flatten(value, path="", depth=0):
    """Return {path: plain value} of a JSON value. Rows of a list that have an id go by it, wherever they stand."""
    if depth > MAX_DEPTH:
        return {path: "..."}
    if isinstance(value, dict):
        parts = [(f"{path}.{key}" if path else str(key), one) for key, one in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[{_get_row_name(one, index)}]", one) for index, one in enumerate(value)]
    else:
        return {path: value}
    if not parts:
        return {path: value}
    result = {}
    for name, one in parts:
        result |= flatten(one, name, depth + 1)
    return result


def _get_row_name(row, index):
    row_id = row.get("id") if isinstance(row, dict) else None
    return row_id if isinstance(row_id, str | int) and row_id else index


def to_line(value):
    """Return a plain JSON value as it is read, nothing for none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
