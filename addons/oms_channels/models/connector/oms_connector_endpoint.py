import dataclasses

from odoo import api, fields, models

from ...adapters.custom import spec

ENDPOINT_FIELDS = tuple(field.name for field in dataclasses.fields(spec.EndpointSpec))


class OmsConnectorEndpoint(models.Model):
    """One call to the shop: what it is for, its address, and what is sent."""

    _name = "oms.connector.endpoint"
    _inherit = ["oms.cached.mixin"]  # part of `oms.connector._get_spec`
    _description = "Connector Call"
    _order = "connector_id, sequence, id"

    connector_id = fields.Many2one("oms.connector", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="connector_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [
            ("test", "Test the Connection"),
            ("list_orders", "List Orders"),
            ("get_order", "Read One Order"),
            ("list_products", "List Products"),
            ("ship", "Tell of a Shipment"),
            ("delivered", "Tell of a Delivery"),
            ("cancel", "Cancel an Order"),
            ("cancel_lines", "Cancel Units of an Order"),
            ("answer", "Answer a Request"),
            ("return_received", "Tell of Returned Goods"),
            ("refund", "Refund"),
            ("stock_read", "Read Stock"),
            ("stock", "Tell Stock"),
            ("price", "Tell a Price"),
        ],
        string="What For",
        required=True,
        help="Several calls of one kind that tells the shop something are done one after another.",
    )
    name = fields.Char(help="For people.")
    method = fields.Selection(
        [("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE")],
        default="GET",
        required=True,
    )
    path = fields.Char(
        required=True, default="/", help="Behind the shop's address. For example /orders/{{ order_id }}/ship"
    )
    query_lines = fields.Text(
        string="Parameters", help="One a line: name = value. What is empty is not sent; a list is sent one by one."
    )
    header_lines = fields.Text(string="Headers", help="One a line: name = value.")
    body_format = fields.Selection([("json", "JSON"), ("form", "Form")], default="json", required=True)
    body = fields.Text(help="JSON with placeholders.")
    answer_expression = fields.Char(
        string="Where the Data Is", help="Where in the answer the list, or the order, stands. Empty: the answer itself."
    )
    result_expression = fields.Char(
        string="What It Gives",
        help="Expression for the id under which the shop keeps it; later calls name it as {{ result }}. Of a test: the "
        "shop's name. Of Read Stock: how many of ``level`` may be sold, ``level.seen`` being what the shop has of it; "
        "with it the stock is compared daily.",
    )
    done_expression = fields.Char(
        string="Already Done When",
        help="Expression that is true when the shop has it already: then the call is left out. For example "
        "where(order.shipments, 'number', tracking_number)",
    )
    errors_expression = fields.Char(
        string="Where Refusals Are", help="Expression for a list of {key, message}: stock that the shop refused."
    )
    match_expression = fields.Char(string="Found By", help="What in a row of the shop names the listing.")
    match_key = fields.Selection(
        [
            ("sku", "SKU"),
            ("external_id", "ID in the Shop"),
            ("inventory_external_id", "Inventory ID in the Shop"),
        ],
        string="Is Our",
        default="sku",
        required=True,
    )
    batch_size = fields.Integer(string="Levels a Call", default=50, help="1: one call for each listing.")
    names_help = fields.Char(
        string="Placeholders", compute="_compute_names_help", help="What templates of this call may name."
    )

    @api.depends("kind")
    def _compute_names_help(self):
        for endpoint in self:
            names = sorted(spec.NAMES.get(endpoint.kind, ()))
            endpoint.names_help = ", ".join(f"{{{{ {name} }}}}" for name in names)

    @api.onchange("kind")
    def _onchange_kind(self):
        """What the shop is told is mostly posted."""
        if self.kind in spec.PUSH_KINDS.values() and self.kind != "price":
            self.method = "POST"

    @api.depends("kind", "name")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for endpoint in self:
            endpoint.display_name = endpoint.name or kinds.get(endpoint.kind, "")

    @api.constrains(*ENDPOINT_FIELDS)
    def _check_content(self):
        """Templates and expressions are checked when they are saved."""
        for endpoint in self:
            connector = endpoint.connector_id
            data = {"endpoints": [endpoint._get_data()], "idempotency_header": connector.idempotency_header or ""}
            connector._check_data(data, endpoint.display_name, is_numbered=False)

    def _get_data(self):
        """Return the plain data of a call, as the engine and the export file have it."""
        self.ensure_one()
        return self.connector_id._read_data(self, ENDPOINT_FIELDS)
