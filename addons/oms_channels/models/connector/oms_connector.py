import dataclasses
from zoneinfo import available_timezones

from odoo import api, fields, models, tools
from odoo.exceptions import UserError

from ...adapters.custom import repeats, spec
from .oms_connector_endpoint import ENDPOINT_FIELDS
from .oms_connector_field import FIELD_FIELDS

# What nearly every shop tells: the lines of a new connector's mapping, to be filled in.
USUAL_TARGETS = (
    "order.external_id", "order.reference", "order.status", "order.placed_at", "order.updated_at", "order.currency",
    "order.total", "order.email", "order.note", "order.lines", "line.external_id", "line.sku", "line.title",
    "line.variant_external_id", "line.quantity", "line.price_unit", "line.total", "order.shippings", "shipping.name",
    "shipping.amount", "order.payments", "payment.external_id", "payment.amount", "payment.captured_amount",
    "order.shipping_address", "shipping_address.name", "shipping_address.street", "shipping_address.city",
    "shipping_address.province", "shipping_address.zip", "shipping_address.country_code", "shipping_address.phone",
)  # fmt: skip
CONNECTOR_FIELDS = tuple(
    field.name for field in dataclasses.fields(spec.ConnectorSpec) if field.name not in ("endpoints", "fields")
)
# All that the plain data of a connector are read from.
CONTENT_PATHS = (
    *CONNECTOR_FIELDS,
    *(f"endpoint_ids.{name}" for name in ("sequence", *ENDPOINT_FIELDS)),
    *(f"{rows}.{name}" for rows in ("order_field_ids", "listing_field_ids") for name in FIELD_FIELDS),
    *(f"{rows}.value_ids.{name}" for rows in ("order_field_ids", "listing_field_ids") for name in ("source", "result")),
)
USUAL_LISTING_TARGETS = ("external_id", "sku", "barcode", "title", "price", "inventory_external_id")


class OmsConnector(models.Model):
    """How to talk to a shop that nobody wrote an adapter for, built in a form: keys, pages, times, calls and mapping.

    What it says is plain values (`adapters.custom.spec`), checked when saved. Keys are not in it but on the channel.
    """

    _name = "oms.connector"
    _inherit = ["oms.cached.mixin"]  # `_get_spec` is kept
    _description = "Shop Connector"
    _order = "name, id"

    name = fields.Char(required=True)
    code = fields.Char(
        required=True, copy=False, help="By which an imported file finds this connector again, for example “myshop”."
    )
    description = fields.Text(help="Which shops it is for, and what to enter on the channel.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index=True, help="Empty: for all companies.")
    channel_ids = fields.One2many("oms.channel", "connector_id", string="Channels")
    channel_count = fields.Integer(string="Number of Channels", compute="_compute_channel_count")
    problem = fields.Text(string="What Is Wrong", compute="_compute_problem")
    warning = fields.Text(string="What May Go Wrong", compute="_compute_problem")

    # Keys
    auth_kind = fields.Selection(
        [
            ("none", "None"),
            ("header", "Key in a Header"),
            ("query", "Key in the Address"),
            ("basic", "Basic (key and secret)"),
            ("bearer", "Bearer Token"),
            ("oauth2", "OAuth2 (client credentials)"),
            ("hmac", "Signature over a Template"),
            ("sorted", "Signature over Sorted Parameters"),
        ],
        string="How the Shop Knows Us",
        default="none",
        required=True,
        help="The keys themselves are entered on the channel.",
    )
    auth_name = fields.Char(
        string="Header or Parameter", help="For example X-Api-Key, or sign. Where the key or the signature is put."
    )
    auth_value = fields.Char(string="What It Holds", default="{{ key }}", help="For example: Token {{ key }}")
    token_path = fields.Char(
        string="Token Address", help="Path at the shop, or a whole https address, that gives a token for the keys."
    )
    token_scope = fields.Char()
    token_style = fields.Selection(
        [("basic", "In the Header"), ("body", "In the Body")], string="Keys for the Token", default="basic"
    )
    sign_algorithm = fields.Selection(
        [
            ("md5", "MD5"),
            ("sha256", "SHA-256"),
            ("hmac_md5", "HMAC-MD5"),
            ("hmac_sha1", "HMAC-SHA1"),
            ("hmac_sha256", "HMAC-SHA256"),
            ("hmac_sha512", "HMAC-SHA512"),
        ],
        string="Algorithm",
        default="hmac_sha256",
        required=True,
    )
    sign_encoding = fields.Selection(
        [("hex", "Hexadecimal"), ("upper", "Hexadecimal, Capitals"), ("base64", "Base64")],
        string="Written As",
        default="hex",
        required=True,
    )
    sign_place = fields.Selection(
        [("header", "Header"), ("query", "Address")], string="Put Into", default="header", required=True
    )
    sign_template = fields.Text(
        string="What Is Signed",
        help="Text with {{ method }}, {{ path }}, {{ query }}, {{ sorted_params }}, {{ body }}, {{ body_sha256 }}, "
        "{{ timestamp }}, {{ nonce }}, {{ key }}, {{ token }}, {{ host }} and {{ secret }}. Empty for sorted "
        "parameters: the secret, the parameters, the secret.",
    )
    sign_pair_text = fields.Char(string="Between Name and Value", help="Often nothing, or =")
    sign_join_text = fields.Char(string="Between Parameters", help="Often nothing, or &")
    sign_time_format = fields.Selection(
        selection="_get_time_formats", string="Form of {{ timestamp }}", default="unix", required=True
    )
    header_lines = fields.Text(
        string="Headers of Every Call", help="One a line: name = value. For example X-Timestamp = {{ timestamp }}"
    )
    query_lines = fields.Text(
        string="Parameters of Every Call", help="One a line: name = value. For example app_key = {{ key }}"
    )
    idempotency_header = fields.Char(
        string="Header for Our Key",
        help="What the shop is told carries a key that stays the same when it is told again, for example "
        "Idempotency-Key.",
    )
    # Times
    time_format = fields.Selection(selection="_get_time_formats", string="Times", default="iso", required=True)
    time_pattern = fields.Char(string="Pattern", help="For example %Y-%m-%d %H:%M:%S")
    time_zone = fields.Selection(
        selection="_get_time_zones", default="UTC", required=True, help="Of the times that name none themselves."
    )
    since_param = fields.Char(
        string="Changed Since", help="Parameter for the time since which changed orders are asked for."
    )
    until_param = fields.Char(string="Changed Until")
    # Pages
    paging_style = fields.Selection(
        [
            ("none", "One Page Only"),
            ("page", "Page Number"),
            ("offset", "Rows to Skip"),
            ("cursor", "Mark of the Next Page"),
            ("link", "Link Header"),
        ],
        string="Pages",
        default="none",
        required=True,
    )
    page_param = fields.Char(string="Page Parameter", help="For example page, offset or cursor.")
    size_param = fields.Char(string="Size Parameter", help="For example limit or page_size.")
    page_size = fields.Integer(
        string="Rows a Page",
        help="The most the shop gives in one page; then a shorter page is the last. 0: ask until a page is empty.",
    )
    first_page = fields.Integer(string="First Page Is", default=1)
    cursor_expression = fields.Char(string="Where the Next Mark Is")
    more_expression = fields.Char(string="Where More Is Told", help="Expression that is true while there are more.")
    is_sorted = fields.Boolean(
        string="Oldest Change First",
        help="The shop's list is sorted by the time of change. Then an order that changes while it is read is never "
        "missed.",
    )
    # Limits and errors
    rate_limit = fields.Integer(string="Calls Allowed", help="0: as many as we like.")
    rate_seconds = fields.Integer(string="In Seconds", default=1)
    connect_timeout = fields.Integer(string="Seconds to Connect", default=5)
    read_timeout = fields.Integer(string="Seconds to Answer", default=20)
    error_expression = fields.Char(
        string="Where Errors Are", help="Expression that gives the shop's error message, where a good answer has none."
    )
    busy_expression = fields.Char(
        string="Where “Slow Down” Is", help="Expression that is true when calls are too many."
    )
    needs_reread = fields.Boolean(
        string="Re-read Open Orders", default=True, help="The shop's list does not show every change."
    )
    # Webhooks
    webhook_kind = fields.Selection(
        [
            ("none", "None"),
            ("hmac_hex", "HMAC-SHA256, Hexadecimal"),
            ("hmac_base64", "HMAC-SHA256, Base64"),
            ("token", "Shared Secret in a Header"),
        ],
        string="Signature",
        default="none",
        required=True,
    )
    webhook_header = fields.Char(string="Signature Header", help="For example X-Signature.")
    webhook_prefix = fields.Char(string="Before the Signature", help="For example sha256=")
    webhook_order_expression = fields.Char(string="Where the Order's ID Is")
    webhook_topic_expression = fields.Char(string="Where the Topic Is")
    webhook_id_expression = fields.Char(string="Where the Event's ID Is")
    webhook_time_expression = fields.Char(
        string="Where the Time Is", help="With it a webhook older than five minutes is refused."
    )

    endpoint_ids = fields.One2many("oms.connector.endpoint", "connector_id", string="Calls", copy=True)
    order_field_ids = fields.One2many(
        "oms.connector.field",
        "connector_id",
        string="Mapping of Orders",
        domain=[("target", "not like", "listing.")],
        copy=True,
        default=lambda self: self._default_fields(USUAL_TARGETS),
    )
    listing_field_ids = fields.One2many(
        "oms.connector.field",
        "connector_id",
        string="Mapping of Products",
        domain=[("target", "like", "listing.")],
        copy=True,
        default=lambda self: self._default_fields([f"listing.{name}" for name in USUAL_LISTING_TARGETS]),
    )

    _code_uniq = models.UniqueIndex("(code, COALESCE(company_id, 0))", "There is a connector of this code already.")

    @api.model
    def _default_fields(self, targets):
        return [fields.Command.create({"target": target, "sequence": index}) for index, target in enumerate(targets, 1)]

    @api.model
    def _get_time_formats(self):
        return [
            ("iso", self.env._("ISO 8601 (2026-01-31T12:00:00Z)")),
            ("unix", self.env._("Seconds since 1970")),
            ("unix_ms", self.env._("Milliseconds since 1970")),
            ("text", self.env._("Text by a Pattern")),
        ]

    @api.model
    def _get_time_zones(self):
        return [(name, name) for name in sorted(available_timezones())]

    # === COMPUTE METHODS === #

    def _compute_channel_count(self):
        counts = dict(
            self.env["oms.channel"]._read_group([("connector_id", "in", self.ids)], ["connector_id"], ["__count"])
        )
        for connector in self:
            connector.channel_count = counts.get(connector, 0)

    @api.depends(*CONTENT_PATHS)
    def _compute_problem(self):
        """Also while it is being edited."""
        for connector in self:
            connector.problem = connector.warning = False
            try:
                found = repeats.find_doubled(spec.read(connector._get_data()))
                connector.warning = "\n".join(map(connector._describe_line, found))
            except spec.SpecError as error:
                connector.problem = connector._describe_problems(error)

    @api.constrains(*CONNECTOR_FIELDS, "endpoint_ids", "order_field_ids", "listing_field_ids")
    def _check_content(self):
        """What can be checked without the shop is checked when it is saved."""
        for connector in self:
            connector._check_data(connector._get_data(), connector.name)

    # === CRUD METHODS === #

    def copy_data(self, default=None):
        """A copy is a connector of its own."""
        return [
            {**vals, "code": f"{connector.code}_{connector._get_next_number()}"}
            for connector, vals in zip(self, super().copy_data(default), strict=True)
        ]

    @api.ondelete(at_uninstall=False)
    def _unlink_if_unused(self):
        for connector in self.with_context(active_test=False):
            if connector.channel_ids:
                raise UserError(
                    self.env._(
                        "%(connector)s is used by %(channels)s. Archive it, or give them another connector first.",
                        connector=connector.name,
                        channels=", ".join(connector.channel_ids.mapped("name")),
                    )
                )

    def _get_next_number(self):
        return 1 + self.with_context(active_test=False).search_count([("code", "=like", f"{self.code}%")])

    # === ACTION METHODS === #

    def action_view_channels(self):
        """Open the channels of this connector."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_channel_action")
        context = {"default_provider": "custom", "default_connector_id": self.id}
        return {**action, "domain": [("connector_id", "=", self.id)], "context": context}

    def action_test_channel(self):
        """Ask the chosen shop who it is, by this connector."""
        return self._get_sample_channel().action_test_connection()

    # === BUSINESS METHODS === #

    @tools.ormcache("self.id")
    def _get_spec(self):
        """Return the connector as the frozen values that the adapter works from.

        :raise UserError: naming what is wrong
        """
        self.ensure_one()
        try:
            return spec.read(self._get_data())
        except spec.SpecError as error:
            raise UserError(
                self.env._(
                    "The connector %(connector)s can't be used: %(problems)s",
                    connector=self.name,
                    problems=self._describe_problems(error),
                )
            ) from error

    def _get_sample_channel(self):
        """Return the channel whose keys are used to try the connector. See `oms_connector_preview`."""
        self.ensure_one()
        if not self.sample_channel_id:
            raise UserError(
                self.env._(
                    "Choose the channel whose address and keys are to be used. Make one with the platform “Any shop, "
                    "by a connector” first if there is none.",
                )
            )
        return self.sample_channel_id
