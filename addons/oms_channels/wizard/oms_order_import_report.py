import base64

from markupsafe import Markup

from odoo import models

from ..importer.columns import BY_KEY
from ..importer.writer import make_xlsx

# Rows shown on the screen; the file has them all.
SHOWN_ROWS = 100


class OmsOrderImport(models.TransientModel):
    """What became of each row, in words."""

    _inherit = "oms.order.import"

    def _prepare_report(self, book, results, is_done):
        """Return the values of the report: one line a row of the file, several where several things are wrong."""
        labels, hints = self._get_result_labels(is_done), self._get_result_hints(is_done)
        rows = []
        for draft in book.drafts:
            result, faults = results[id(draft)], {}
            for fault in draft.faults:
                faults.setdefault(fault.row, []).append(fault)
            for number in draft.rows:
                told = [
                    (self._get_label(BY_KEY.get(one.column)), self._describe_fault(one))
                    for one in faults.get(number, ())
                ]
                hint = hints[result] if result != "error" else self.env._("Another row of this order has an error.")
                rows += [
                    (number, draft.external_id, labels[result], column, message)
                    for column, message in told or [("", hint)]
                ]
        rows.sort(key=lambda row: row[0])
        heading = [
            self.env._("Row"),
            self.env._("Order"),
            self.env._("Result"),
            self.env._("Column"),
            self.env._("What to Know"),
        ]
        bad = {labels["error"], labels["waiting"]}
        return {
            "report_html": self._make_html(heading, [row for row in rows if row[2] in bad]),
            "report_file": base64.b64encode(make_xlsx([heading, *rows], {1, 4})),
            "report_name": "import-report.xlsx",
        }

    def _make_html(self, heading, rows):
        """Return a table of the first rows, nothing when there are none."""
        if not rows:
            return False
        head = Markup().join(Markup("<th>%s</th>") % name for name in heading)
        body = Markup().join(
            Markup("<tr>%s</tr>") % Markup().join(Markup("<td>%s</td>") % cell for cell in row)
            for row in rows[:SHOWN_ROWS]
        )
        table = Markup('<table class="table table-sm"><thead><tr>%s</tr></thead><tbody>%s</tbody></table>')
        more = len(rows) - SHOWN_ROWS
        rest = Markup("<p>%s</p>") % self.env._("%(count)s more in the report.", count=more) if more > 0 else ""
        return table % (head, body) + rest

    def _get_label(self, column):
        """Return a column's heading in the user's language."""
        if not column:
            return ""
        return column.chinese if (self.env.lang or "").startswith("zh") else column.english

    def _get_result_labels(self, is_done):
        return {
            "new": self.env._("Accepted") if is_done else self.env._("Would be created"),
            "changed": self.env._("Accepted") if is_done else self.env._("Known, would be compared"),
            "duplicate": self.env._("Duplicate"),
            "waiting": self.env._("Unknown SKU"),
            "error": self.env._("Error"),
        }

    def _get_result_hints(self, is_done):
        return {
            "new": self.env._("It is imported in the background.") if is_done else "",
            "changed": self.env._("The order is here already; what differs is applied, or held for a person."),
            "duplicate": self.env._("The same order with the same content is here already. Nothing happens."),
            "waiting": self.env._("The order waits in the inbox until somebody matches its SKUs to products."),
            "error": "",
        }

    def _describe_fault(self, fault):
        """Return in words what is wrong with a cell."""
        limit = fault.value
        sentences = {
            "required": lambda: self.env._("It is empty, but needed."),
            "number": lambda: self.env._("It is no number: %(text)s", text=limit),
            "time": lambda: self.env._("It is no date: %(text)s. Write 2026-03-01 10:00:00.", text=limit),
            "shortened": lambda: self.env._(
                "Excel has shortened it: %(text)s. Format the column as text and enter it again.", text=limit
            ),
            "conflict": lambda: self.env._("Another row of the same order says: %(text)s", text=limit),
            "discount": lambda: self.env._("It is more than the line is worth."),
            "maxLength": lambda: self.env._("It is longer than %(count)s characters.", count=limit),
            "minimum": lambda: self.env._("It must be at least %(limit)s.", limit=limit),
            "maximum": lambda: self.env._("It must be at most %(limit)s.", limit=limit),
            "maxItems": lambda: self.env._("The order has more than %(limit)s lines.", limit=limit),
            "pattern": lambda: self.env._("It has characters or a form that is not allowed here."),
        }
        return sentences.get(fault.code, sentences["pattern"])()
