import base64
from collections import Counter
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import split_every

from ..adapters.api.mapper import get_version
from ..importer.builder import build
from ..importer.reader import MAX_ROWS, FileError, read_table
from ..importer.writer import make_template

# Orders stored in one go: what is held in memory at once.
CHUNK_SIZE = 1000


class OmsOrderImport(models.TransientModel):
    """Orders of a channel from a CSV or XLSX file. First it says what would happen, row by row; the import itself goes
    through the inbox like any shop's orders, so what is imported twice makes nothing twice."""

    _name = "oms.order.import"
    _description = "Import Orders from a File"

    channel_id = fields.Many2one("oms.channel", required=True)
    company_id = fields.Many2one(related="channel_id.company_id")
    file = fields.Binary(attachment=False)
    filename = fields.Char()
    template_xlsx = fields.Binary(compute="_compute_templates", string="XLSX Template")
    template_csv = fields.Binary(compute="_compute_templates", string="CSV Template")
    state = fields.Selection(
        [("choose", "Choose a File"), ("checked", "Checked"), ("done", "Imported")], default="choose"
    )
    row_count = fields.Integer(string="Rows", readonly=True)
    new_count = fields.Integer(string="New Orders", readonly=True)
    changed_count = fields.Integer(string="Changed Orders", readonly=True)
    duplicate_count = fields.Integer(string="Known Already", readonly=True)
    waiting_count = fields.Integer(string="Waiting for a Product", readonly=True)
    error_count = fields.Integer(string="Orders with Errors", readonly=True)
    unknown_columns = fields.Char(string="Columns Left Out", readonly=True)
    report_html = fields.Html(string="Rows to Look At", readonly=True)
    report_file = fields.Binary(string="Report", readonly=True, attachment=False)
    report_name = fields.Char(readonly=True)

    @api.depends_context("lang")
    def _compute_templates(self):
        is_chinese = (self.env.lang or "").startswith("zh")
        for wizard in self:
            wizard.template_xlsx = base64.b64encode(make_template(is_chinese, "xlsx"))
            wizard.template_csv = base64.b64encode(make_template(is_chinese, "csv"))

    @api.onchange("file", "channel_id")
    def _onchange_file(self):
        """Another file has not been checked."""
        self.state = "choose"

    # === ACTION METHODS === #

    def action_download_template(self):
        """Download the empty file; the context key ``oms_kind`` says which, csv or xlsx."""
        self.ensure_one()
        kind = self.env.context.get("oms_kind", "xlsx")
        path = f"/web/content/{self._name}/{self.id}/template_{kind}/orders.{kind}?download=true"
        return {"type": "ir.actions.act_url", "url": path, "target": "self"}

    def action_check(self):
        """Say what would happen, and do nothing."""
        book = self._read_file()
        self._show(book, self._judge(book), "checked")
        return self._reopen()

    def action_import(self):
        """Store the good orders in the inbox; they are imported in the background."""
        book = self._read_file()
        results = self._judge(book)
        # sudo: oms.channel.message - nobody writes the inbox by hand; what goes in was checked
        channel_sudo = self.channel_id.sudo()
        good = [draft for draft in book.drafts if results[id(draft)] in ("new", "changed", "waiting")]
        for chunk in split_every(CHUNK_SIZE, good, list):
            channel_sudo._store_own_orders([draft.payload for draft in chunk], "file")
        self._show(book, results, "done")
        return self._reopen()

    def action_view_messages(self):
        """Open the channel's inbox."""
        return self.channel_id.with_context(oms_model="oms.channel.message").action_view_queue()

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import Orders"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    # === BUSINESS METHODS === #

    def _read_file(self):
        """Return the Book of the file.

        :raise UserError: the file can't be read, or lacks a column
        """
        self.ensure_one()
        if not self.file:
            raise UserError(self.env._("Choose a file first."))
        # Times in a file are those of the person who made it.
        tz = ZoneInfo(self.env.user.tz or "UTC")
        company = self.channel_id.company_id
        defaults = {"currency": company.currency_id.name, "country": company.country_id.code or "CN"}
        try:
            book = build(read_table(base64.b64decode(self.file)), tz, defaults)
        except FileError as error:
            raise UserError(self._describe_file_error(error.code)) from error
        for columns, sentence in (
            (book.missing, self.env._("The file lacks these columns: %s. Download the template to see them all.")),
            (book.twice, self.env._("These columns are in the file twice: %s.")),
        ):
            if columns:
                raise UserError(sentence % ", ".join(self._get_label(column) for column in columns))
        if not book.drafts:
            raise UserError(self._describe_file_error("empty"))
        return book

    def _describe_file_error(self, code):
        return {
            "empty": self.env._("There are no orders in the file."),
            "too_large": self.env._("The file is too large."),
            "encoding": self.env._("The file's characters can't be read. Save it as CSV UTF-8 or as XLSX."),
            "format": self.env._("The file is neither CSV nor XLSX, or it is damaged. Save it as XLSX and try again."),
            "rows": self.env._("The file has more than %(count)s rows. Split it.", count=MAX_ROWS),
        }[code]

    def _judge(self, book):
        """Return {id of the draft: new, changed, duplicate, waiting or error}, with as few queries for many orders as
        for one."""
        channel = self.channel_id
        # sudo: oms.channel.message - only whether it is there is looked at
        Message = self.env["oms.channel.message"].sudo()
        good = [draft for draft in book.drafts if not draft.faults]
        ids = [draft.external_id for draft in good]
        stored = Message._query_known(channel, ids)
        orders = self.env["sale.order"].search_fetch(
            [("channel_id", "=", channel.id), ("channel_order_id", "in", ids)], ["channel_order_id"]
        )
        known_ids = {order.channel_order_id for order in orders} | {key[0] for key in stored}
        skus = {line["sku"] for draft in good for line in draft.payload["lines"]}
        known_skus = self._find_known_skus(skus)
        results = {}
        for draft in book.drafts:
            if draft.faults:
                results[id(draft)] = "error"
            elif (draft.external_id, get_version(draft.payload), Message._get_digest(draft.payload)) in stored:
                results[id(draft)] = "duplicate"
            elif any(line["sku"] not in known_skus for line in draft.payload["lines"]):
                results[id(draft)] = "waiting"
            else:
                results[id(draft)] = "changed" if draft.external_id in known_ids else "new"
        return results

    def _find_known_skus(self, skus):
        """Return those of the SKUs that the channel or exactly one product knows."""
        listings = self.env["oms.channel.listing"].search_fetch(
            [("channel_id", "=", self.channel_id.id), ("sku", "in", list(skus)), ("product_id", "!=", False)], ["sku"]
        )
        counts = self.env["product.product"]._read_group(
            Domain("default_code", "in", list(skus)) & Domain("company_id", "in", (False, self.company_id.id)),
            ["default_code"],
            ["__count"],
        )
        return {listing.sku for listing in listings} | {sku for sku, count in counts if count == 1}

    def _show(self, book, results, state):
        """Keep what was found: counts, the rows to look at, and the whole report as a file."""
        counts = Counter(results.values())
        self.write(
            {
                "state": state,
                "row_count": sum(len(draft.rows) for draft in book.drafts),
                **{f"{kind}_count": counts[kind] for kind in ("new", "changed", "duplicate", "waiting", "error")},
                "unknown_columns": ", ".join(book.unknown) or False,
                **self._prepare_report(book, results, is_done=state == "done"),
            }
        )
