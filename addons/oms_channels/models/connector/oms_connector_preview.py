import json
import re
from datetime import UTC

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...adapters.custom import expressions, preview, spec
from ...adapters.custom.adapter import SAMPLE_PERIOD
from ...adapters.errors import AdapterError
from .oms_connector import CONNECTOR_FIELDS, CONTENT_PATHS

# What a person looks at while mapping; a shop's order is some kilobytes.
MAX_SAMPLE = 500_000
_KEY = re.compile(r"(?:(endpoints|fields)\[(\d+)\]\.)?(\w+)(?:: )(.*)", re.DOTALL)


class OmsConnector(models.Model):
    """The live preview: a raw order of the shop, and what the mapping makes of it while it is being edited."""

    _inherit = "oms.connector"

    sample_channel_id = fields.Many2one(
        "oms.channel",
        string="Try With",
        domain=[("provider", "=", "custom")],
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        help="The channel whose address and keys are used to fetch a sample.",
    )
    # groups: they hold a buyer's name, address and phone
    sample = fields.Text(
        string="Sample Order", copy=False, groups="oms_base.oms_base_group_manager", help="One raw order of the shop."
    )
    listing_sample = fields.Text(
        string="Sample Product", copy=False, groups="oms_base.oms_base_group_manager", help="One raw product."
    )
    order_preview = fields.Html(
        string="As It Would Be Imported",
        compute="_compute_order_preview",
        sanitize=False,
        groups="oms_base.oms_base_group_manager",
    )

    @api.constrains("sample", "listing_sample")
    def _check_samples(self):
        for connector in self:
            for name in ("sample", "listing_sample"):
                text = connector[name]
                if not text:
                    continue
                if len(text) > MAX_SAMPLE:
                    raise ValidationError(self.env._("The sample is too large: paste one order only."))
                try:
                    preview.read_sample(text)
                except ValueError as error:
                    raise ValidationError(str(error)) from error

    @api.depends(*CONTENT_PATHS, "sample")
    def _compute_order_preview(self):
        for connector in self:
            sample = connector._read_sample("sample")
            if not sample:
                connector.order_preview = False
                continue
            order, problem = preview.preview_order(connector._get_data(), sample)
            connector.order_preview = self.env["ir.qweb"]._render(
                "oms_channels.connector_order_preview",
                {"order": order, "problem": connector._describe_line(problem) if problem else "", "show": preview.show},
            )

    # === ACTION METHODS === #

    def action_fetch_sample(self):
        """Call the shop with the chosen channel's keys and keep one raw order, and one product."""
        channel = self._get_sample_channel()
        if channel.connector_id != self:
            raise UserError(
                self.env._(
                    "%(channel)s uses another connector. Choose this one there first.", channel=channel.display_name
                )
            )
        adapter = channel._get_adapter()
        try:
            values = {"sample": self._fetch_sample_order(adapter, channel)}
            if self._get_spec().get_endpoint("list_products"):
                products = adapter.fetch_sample_page("list_products")
                values["listing_sample"] = _format(products[0]) if products else False
        except AdapterError as error:
            raise UserError(
                self.env._("No sample could be fetched from %(channel)s: %(error)s", channel=channel.name, error=error)
            ) from error
        if not values["sample"]:
            raise UserError(
                self.env._("%(channel)s has no orders yet. Place one there, or paste an order.", channel=channel.name)
            )
        self.write(values)
        return True

    def _fetch_sample_order(self, adapter, channel):
        """Return one raw order as text; in full where the connector can already read one by its id."""
        since = fields.Datetime.now() - SAMPLE_PERIOD
        since = min(channel.pull_start_date or since, since).replace(tzinfo=UTC)
        orders = adapter.fetch_sample_page("list_orders", since)
        if not orders:
            return False
        connector_spec = self._get_spec()
        id_field = connector_spec.get_fields("order").get("external_id")
        if not connector_spec.get_endpoint("get_order") or not id_field:
            return _format(orders[0])
        external_id = preview.show(expressions.search(id_field.expression, orders[0])) if id_field.expression else ""
        return _format(adapter.fetch_order(external_id) if external_id else orders[0])

    # === BUSINESS METHODS === #

    def _read_sample(self, name):
        """Return the sample, None when there is none that can be read."""
        # sudo: oms.connector - who may edit a mapping sees what it gives; the sample itself has its own group
        text = self.sudo()[name]
        try:
            return preview.read_sample(text) if text else None
        except ValueError:
            return None

    def _get_data(self):
        """Return the connector as the plain data that the engine and the export file have."""
        self.ensure_one()
        rows = [*self.order_field_ids, *self.listing_field_ids]
        return {
            **self._read_data(self, CONNECTOR_FIELDS),
            "endpoints": [row._get_data() for row in self.endpoint_ids.sorted("sequence")],
            "fields": [row._get_data() for row in rows if row.target and (row.expression or row.default)],
        }

    @api.model
    def _read_data(self, record, names):
        """Return {name: value} of a record; nothing is an empty text, as the engine has it."""
        return {
            name: record[name] if record[name] is not False or record._fields[name].type == "boolean" else ""
            for name in names
        }

    def _check_data(self, data, name, is_numbered=True):
        """:raise ValidationError: saying what of ``data`` is wrong; ``name`` says of what"""
        try:
            spec.read(data)
        except spec.SpecError as error:
            raise ValidationError(
                self.env._(
                    "%(name)s can't be saved so:\n%(problems)s",
                    name=name,
                    problems=self._describe_problems(error, is_numbered),
                )
            ) from error

    def _describe_problems(self, error, is_numbered=True):
        return "\n".join(self._describe_line(problem, is_numbered) for problem in error.problems)

    @api.model
    def _describe_line(self, problem, is_numbered=True):
        """Return sentences of the engine with the labels of the form in place of its keys."""
        lines = []
        for line in problem.splitlines():
            match = _KEY.match(line)
            models_by_rows = {"endpoints": "oms.connector.endpoint", "fields": "oms.connector.field", None: self._name}
            field = match and self.env[models_by_rows[match[1]]]._fields.get(match[3])
            if not field:
                targets = dict(self.env["oms.connector.field"]._fields["target"]._description_selection(self.env))
                key, _colon, rest = line.partition(": ")
                lines.append(f"{targets[key]}: {rest}" if key in targets else line)
                continue
            place = f"{int(match[2]) + 1}. " if match[2] and is_numbered else ""
            lines.append(f"{place}{field._description_string(self.env)}: {match[4]}")
        return "\n".join(lines)


class OmsConnectorField(models.Model):
    """What each line of the mapping gives on the sample."""

    _inherit = "oms.connector.field"

    preview = fields.Char(string="Gives", compute="_compute_preview")
    problem = fields.Char(string="What Is Wrong", compute="_compute_preview")

    @api.depends(
        "target",
        "expression",
        "conversion",
        "pattern",
        "default",
        "value_ids.source",
        "value_ids.result",
        "connector_id.sample",
        "connector_id.listing_sample",
        "connector_id.time_format",
        "connector_id.time_pattern",
        "connector_id.time_zone",
        "connector_id.order_field_ids.expression",
    )
    def _compute_preview(self):
        for connector, rows in self.grouped("connector_id").items():
            sample, listing = connector._read_sample("sample"), connector._read_sample("listing_sample")
            # Containers (where the lines are) stand in other lines of the mapping.
            others = (connector.order_field_ids | connector.listing_field_ids) - rows - rows._origin
            data = connector._read_data(connector, ("time_format", "time_pattern", "time_zone"))
            data["fields"] = [row._get_data() for row in [*rows, *others] if row.target]
            found = preview.preview_fields(data, sample, listing)
            for row in rows:
                text, problem = found.get(row.target, ("", ""))
                row.preview = text
                row.problem = connector._describe_line(problem) if problem else False


def _format(value):
    return json.dumps(value, indent=2, ensure_ascii=False)
