import base64
import json

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...adapters.custom import spec

META = ("format", "version", "code", "description")
MAX_BYTES = 1_000_000


class OmsConnector(models.Model):
    """A connector as one file: what it says and nothing of a shop's own, no keys, no sample."""

    _inherit = "oms.connector"

    def action_export(self):
        """Download the connector as a file that another database can import."""
        self.ensure_one()
        text = json.dumps(self._export(), ensure_ascii=False, indent=2)
        transfer = self.env["oms.connector.transfer"].create(
            {"file": base64.b64encode(text.encode()), "file_name": f"connector_{self.code}.json"}
        )
        url = f"/web/content/{transfer._name}/{transfer.id}/file/{transfer.file_name}?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}

    def _export(self):
        """Return the connector as JSON-able data."""
        return {
            "format": spec.FORMAT,
            "version": spec.VERSION,
            "code": self.code,
            "description": self.description or "",
            **spec.write(self._get_spec()),
        }

    @api.model
    def _read_export(self, content):
        """Return (values of the connector, ConnectorSpec) of a file's bytes.

        :raise UserError: naming each key that is wrong
        """
        if len(content) > MAX_BYTES:
            raise UserError(self.env._("The file is too large to be a connector."))
        try:
            data = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise UserError(self.env._("The file can't be read: %(error)s", error=error)) from error
        if not isinstance(data, dict) or data.get("format") != spec.FORMAT:
            raise UserError(self.env._("There is no connector in this file. Choose one that was exported from one."))
        version = data.get("version")
        if type(version) is not int or not 1 <= version <= spec.VERSION:
            raise UserError(
                self.env._(
                    "version: the file is of version %(version)s, known are 1 to %(known)s. Update this addon first.",
                    version=version,
                    known=spec.VERSION,
                )
            )
        values, problems = {}, []
        for key in ("code", "description", "name"):
            value = data.get(key, "")
            if not isinstance(value, str) or (not value and key != "description"):
                problems.append(f"{key}: this is a text.")
            values[key] = value
        try:
            connector_spec = spec.read({key: value for key, value in data.items() if key not in META})
        except spec.SpecError as error:
            problems += error.problems
        if problems:
            raise UserError(self.env._("This connector can't be imported:\n%(problems)s", problems="\n".join(problems)))
        return values, connector_spec

    @api.model
    def _import(self, content, connector=None):
        """Create a connector of a file, or bring ``connector`` in line with it.

        :param content: bytes of an export
        :return: the connector
        """
        meta, connector_spec = self._read_export(content)
        if not connector:
            return self._create_from(meta, connector_spec)
        values = self._prepare_import_values(meta, connector_spec)
        values.pop("code")
        connector.endpoint_ids.unlink()
        (connector.order_field_ids | connector.listing_field_ids).unlink()
        connector.write(values)
        return connector

    @api.model
    def _create_from(self, meta, connector_spec):
        """Create the connector that ``connector_spec`` says.

        :raise UserError: when there is one of its code already
        """
        if self._find_by_code(meta["code"]):
            raise UserError(
                self.env._(
                    "There is a connector “%(code)s” already: choose to update it, or import it under another code.",
                    code=meta["code"],
                )
            )
        return self.create(self._prepare_import_values(meta, connector_spec))

    def _open_form(self):
        """Return the action that opens this connector."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    @api.model
    def _find_by_code(self, code):
        return self.with_context(active_test=False).search(
            [("code", "=", code), ("company_id", "in", [False, *self.env.companies.ids])], limit=1
        )

    @api.model
    def _prepare_import_values(self, meta, connector_spec):
        """Return the values of a connector that says what ``connector_spec`` says."""
        rows = {"order_field_ids": [], "listing_field_ids": []}
        for index, field in enumerate(connector_spec.fields, 1):
            name = "listing_field_ids" if field.target.startswith("listing.") else "order_field_ids"
            rows[name].append(Command.create(self._prepare_field_values(field, index)))
        plain = {
            key: value for key, value in connector_spec.__dict__.items() if key not in ("endpoints", "fields", "name")
        }
        return {
            **meta,
            **plain,
            **rows,
            "endpoint_ids": [
                Command.create({**endpoint.__dict__, "sequence": index})
                for index, endpoint in enumerate(connector_spec.endpoints, 1)
            ],
        }

    @api.model
    def _prepare_field_values(self, field, sequence):
        return {
            "sequence": sequence,
            "target": field.target,
            "expression": field.expression,
            "conversion": field.conversion,
            "pattern": field.pattern,
            "default": field.default,
            "value_ids": [
                Command.create({"source": source, "result": result, "sequence": index})
                for index, (source, result) in enumerate(field.values, 1)
            ],
        }
