"""A connector as plain frozen values: how to talk to a shop, and what its answers mean.

The same names stand in the connector's form, in its export file and here. ``read`` checks everything that can be
checked without the shop and names the key that is wrong.
"""

import dataclasses
import json
import re
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .expressions import ExpressionError, compile_expression
from .repeats import find_doubled
from .targets import TARGETS
from .templates import TemplateError, check, check_header, read_pairs

FORMAT, VERSION = "oms-connector", 1
MAX_ENDPOINTS, MAX_FIELDS, MAX_VALUES = 50, 300, 500

AUTH_KINDS = ("none", "header", "query", "basic", "bearer", "oauth2", "hmac", "sorted")
ALGORITHMS = ("md5", "sha256", "hmac_md5", "hmac_sha1", "hmac_sha256", "hmac_sha512")
ENCODINGS = ("hex", "upper", "base64")
TIME_FORMATS = ("iso", "unix", "unix_ms", "text")
PAGING_STYLES = ("none", "page", "offset", "cursor", "link")
WEBHOOK_KINDS = ("none", "hmac_hex", "hmac_base64", "token")
CONVERSIONS = ("auto", "minor", "percent", "date", "name", "upper", "lower")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MATCH_KEYS = ("sku", "external_id", "inventory_external_id")

CREDENTIALS = {"key", "token", "timestamp", "nonce"}
_SETTINGS = {"location", "sales_channel", "currency", "now", *CREDENTIALS}
_PAGING = {"page", "offset", "limit", "cursor"}
_PUSH = {"order_id", "idempotency_key", "order", "answer", "answers", "result"}
# What templates of each kind of call may name.
NAMES = {
    "test": _SETTINGS,
    "list_orders": _SETTINGS | _PAGING | {"since", "until"},
    "get_order": _SETTINGS | {"order_id"},
    "list_products": _SETTINGS | _PAGING,
    "ship": _SETTINGS | _PUSH | {"lines", "tracking_number", "tracking_url", "carrier"},
    "delivered": _SETTINGS | _PUSH | {"tracking_number", "shipment_id", "delivered_at"},
    "cancel": _SETTINGS | _PUSH | {"reason"},
    "cancel_lines": _SETTINGS | _PUSH | {"lines", "reason", "amount", "request_id"},
    "answer": _SETTINGS | _PUSH | {"request_id", "is_granted", "reason"},
    "return_received": _SETTINGS | _PUSH | {"lines", "request_id", "note"},
    "refund": _SETTINGS | _PUSH | {"lines", "amount", "payment_id", "request_id", "note"},
    "stock_read": _SETTINGS | {"levels", "level"},
    "stock": _SETTINGS | {"levels", "level"},
    "price": _SETTINGS | {"listing_id", "product_id", "sku", "price"},
}
SIGN_NAMES = {"method", "path", "query", "sorted_params", "body", "body_sha256", "secret", "host", *CREDENTIALS}
SINGLE_KINDS = ("test", "list_orders", "get_order", "list_products", "stock_read", "stock", "price")
# Push of the outbox -> kind of call.
PUSH_KINDS = {
    "shipment": "ship",
    "delivered": "delivered",
    "cancel": "cancel",
    "cancel_lines": "cancel_lines",
    "answer": "answer",
    "return_received": "return_received",
    "refund": "refund",
    "stock": "stock",
    "price": "price",
}


class SpecError(ValueError):
    """A connector can't be used. :ivar problems: sentences, each beginning with the key that is wrong"""

    def __init__(self, problems):
        super().__init__("\n".join(problems))
        self.problems = list(problems)


def _text(default="", **rules):
    return field(default=default, metadata=rules)


@dataclass(frozen=True)
class EndpointSpec:
    """One call. Several of one push kind are done in order; each sees the answers of those before."""

    kind: str = _text(choices=tuple(NAMES))
    name: str = ""
    method: str = _text("GET", choices=METHODS)
    path: str = ""
    query_lines: str = _text(lines=True)
    header_lines: str = _text(lines=True)
    body_format: str = _text("json", choices=("json", "form"))
    body: str = ""
    answer_expression: str = _text(expression=True)  # where the list, or the order, is in the answer
    result_expression: str = _text(expression=True)  # a push's id in the shop, a test's shop, a level's quantity
    done_expression: str = _text(expression=True)  # of a push: the shop has it already
    errors_expression: str = _text(expression=True)  # of stock: [{key, message}] of what was refused
    match_expression: str = _text(expression=True)  # of stock_read: what in a row names the level
    match_key: str = _text("sku", choices=MATCH_KEYS)
    batch_size: int = 50

    def get_body(self):
        """The body's template as JSON value, None when there is none."""
        return json.loads(self.body) if self.body.strip() else None


@dataclass(frozen=True)
class FieldSpec:
    target: str = _text(choices=tuple(TARGETS))
    expression: str = _text(expression=True)
    conversion: str = _text("auto", choices=CONVERSIONS)
    pattern: str = ""
    default: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ConnectorSpec:
    name: str = ""
    # Keys
    auth_kind: str = _text("none", choices=AUTH_KINDS)
    auth_name: str = ""
    auth_value: str = "{{ key }}"
    token_path: str = ""
    token_scope: str = ""
    token_style: str = _text("basic", choices=("basic", "body"))
    sign_algorithm: str = _text("hmac_sha256", choices=ALGORITHMS)
    sign_encoding: str = _text("hex", choices=ENCODINGS)
    sign_place: str = _text("header", choices=("header", "query"))
    sign_template: str = ""
    sign_pair_text: str = ""
    sign_join_text: str = ""
    sign_time_format: str = _text("unix", choices=TIME_FORMATS)
    header_lines: str = _text(lines=True)
    query_lines: str = _text(lines=True)
    idempotency_header: str = ""
    # Times
    time_format: str = _text("iso", choices=TIME_FORMATS)
    time_pattern: str = ""
    time_zone: str = "UTC"
    since_param: str = ""
    until_param: str = ""
    # Pages
    paging_style: str = _text("none", choices=PAGING_STYLES)
    page_param: str = ""
    size_param: str = ""
    page_size: int = 0
    first_page: int = 1
    cursor_expression: str = _text(expression=True)
    more_expression: str = _text(expression=True)
    is_sorted: bool = False
    # Limits and errors
    rate_limit: int = 0
    rate_seconds: int = 1
    connect_timeout: int = 5
    read_timeout: int = 20
    error_expression: str = _text(expression=True)
    busy_expression: str = _text(expression=True)
    needs_reread: bool = True
    # Webhooks
    webhook_kind: str = _text("none", choices=WEBHOOK_KINDS)
    webhook_header: str = ""
    webhook_prefix: str = ""
    webhook_order_expression: str = _text(expression=True)
    webhook_topic_expression: str = _text(expression=True)
    webhook_id_expression: str = _text(expression=True)
    webhook_time_expression: str = _text(expression=True)
    endpoints: tuple[EndpointSpec, ...] = ()
    fields: tuple[FieldSpec, ...] = ()

    def get_endpoints(self, kind):
        return [endpoint for endpoint in self.endpoints if endpoint.kind == kind]

    def get_endpoint(self, kind):
        return next(iter(self.get_endpoints(kind)), None)

    def get_fields(self, group):
        """{name: FieldSpec} of what a group is mapped from."""
        prefix = f"{group}."
        return {
            one.target.removeprefix(prefix): one
            for one in self.fields
            if one.target.startswith(prefix) and (one.expression or one.default)
        }


def read(data):
    """Return the ConnectorSpec of plain data.

    :raise SpecError: naming every key that is wrong
    """
    problems = []
    if not isinstance(data, dict):
        raise SpecError(["A connector is an object of its settings."])
    values = _read_record(data, ConnectorSpec, "", problems)
    endpoints = _read_rows(data, "endpoints", EndpointSpec, MAX_ENDPOINTS, problems)
    fields = _read_rows(data, "fields", FieldSpec, MAX_FIELDS, problems)
    if problems:
        raise SpecError(problems)
    spec = ConnectorSpec(**values, endpoints=endpoints, fields=fields)
    problems = _check_connector(spec)
    for index, endpoint in enumerate(spec.endpoints):
        problems += [f"endpoints[{index}].{problem}" for problem in check_endpoint(endpoint)]
    if not problems:
        # Others are warned of: a refund can be made by hand in the shop, goods have to leave all the same.
        problems = find_doubled(spec, ("refund",))
    if problems:
        raise SpecError(problems)
    return spec


def write(spec):
    """Return the plain data of a ConnectorSpec; what is as by default is left out."""
    data = _write_record(spec)
    data["endpoints"] = [_write_record(endpoint) for endpoint in spec.endpoints]
    data["fields"] = [
        {**_write_record(one), **({"values": dict(one.values)} if one.values else {})} for one in spec.fields
    ]
    return data


def _write_record(record):
    return {
        one.name: getattr(record, one.name)
        for one in dataclasses.fields(record)
        if one.name not in ("endpoints", "fields", "values") and getattr(record, one.name) != one.default
    }


def _read_rows(data, key, record_class, limit, problems):
    rows = data.get(key, [])
    if not isinstance(rows, list) or len(rows) > limit:
        problems.append(f"{key}: this is a list of at most {limit}.")
        return ()
    result = []
    for index, row in enumerate(rows):
        where = f"{key}[{index}]"
        if not isinstance(row, dict):
            problems.append(f"{where}: this is an object.")
            continue
        values = _read_record(row, record_class, f"{where}.", problems)
        if record_class is FieldSpec:
            values["values"] = _read_values(row, where, problems)
        result.append(record_class(**values))
    return tuple(result)


def _read_values(row, where, problems):
    values = row.get("values", {})
    if (
        not isinstance(values, dict)
        or len(values) > MAX_VALUES
        or not all(isinstance(value, str) for value in values.values())
    ):
        problems.append(f"{where}.values: this is an object of texts, at most {MAX_VALUES}.")
        return ()
    return tuple(values.items())


def _read_record(data, record_class, prefix, problems):
    known = {one.name: one for one in dataclasses.fields(record_class)}
    inner = {"endpoints", "fields", "values"} & set(known)
    values = {}
    for key, value in data.items():
        if key in inner:
            continue
        if key not in known:
            problems.append(f"{prefix}{key}: this is not known.")
            continue
        problem = _check_value(value, known[key])
        if problem:
            problems.append(f"{prefix}{key}: {problem}")
        else:
            values[key] = value
    for key in ("kind", "target"):
        if key in known and key not in data:
            problems.append(f"{prefix}{key}: this is missing.")
    return values


def _check_value(value, field_):
    """Return what is wrong with a value, None if nothing."""
    wanted = field_.type if isinstance(field_.type, type) else {"str": str, "int": int, "bool": bool}[field_.type]
    if type(value) is not wanted:
        return f"this is {_KINDS[wanted]}."
    rules = field_.metadata
    if "choices" in rules and value not in rules["choices"]:
        return f"“{str(value)[:40]}” is none of {', '.join(rules['choices'])}."
    try:
        if rules.get("expression") and value:
            compile_expression(value)
        if rules.get("lines"):
            read_pairs(value)
    except (ExpressionError, TemplateError) as error:
        return str(error)
    return None


_KINDS = {str: "a text", int: "a whole number", bool: "true or false"}


def _check_connector(spec):
    problems = [*_check_keys(spec), *_check_numbers(spec)]
    for key, name, template in [
        ("auth_value", "", spec.auth_value),
        *(("query_lines", "", template) for _name, template in read_pairs(spec.query_lines)),
        *(("header_lines", name, template) for name, template in read_pairs(spec.header_lines)),
    ]:
        _test(problems, key, check, template, _SETTINGS)
        if name:
            _test(problems, key, check_header, name, "")
    _test(problems, "sign_template", check, spec.sign_template, SIGN_NAMES)
    _test(problems, "time_zone", _check_zone, spec.time_zone)
    if spec.idempotency_header:
        _test(problems, "idempotency_header", check_header, spec.idempotency_header, "")
    if spec.paging_style == "cursor" and not spec.cursor_expression:
        problems.append("cursor_expression: where the next page's mark stands is missing.")
    if spec.webhook_kind != "none" and not (spec.webhook_header and spec.webhook_order_expression):
        problems.append("webhook_header: the header and where the order's id stands are both needed.")
    for kind in SINGLE_KINDS:
        if len(spec.get_endpoints(kind)) > 1:
            problems.append(f"endpoints: there is more than one of the kind {kind}.")
    seen = [one.target for one in spec.fields]
    problems += [f"fields: {target} is mapped twice." for target in sorted({t for t in seen if seen.count(t) > 1})]
    return problems


def _test(problems, key, callback, *args):
    """Add what ``callback`` finds wrong."""
    try:
        callback(*args)
    except (TemplateError, ValueError) as error:
        problems.append(f"{key}: {error}")


def _check_keys(spec):
    """What is wrong with how calls are authorised."""
    problems = []
    if spec.auth_kind in ("header", "query", "hmac", "sorted") and not spec.auth_name:
        problems.append("auth_name: the name of the header or parameter is missing.")
    if spec.auth_name and (spec.auth_kind == "header" or spec.sign_place == "header"):
        _test(problems, "auth_name", check_header, spec.auth_name, "")
    if spec.auth_kind == "hmac" and not spec.sign_template:
        problems.append("sign_template: what is signed is missing.")
    if spec.auth_kind == "oauth2" and not re.match(r"/|https://|http://(127\.0\.0\.1|localhost)[:/]", spec.token_path):
        problems.append("token_path: this begins with / or https://.")
    return problems


def _check_numbers(spec):
    limits = {
        "page_size": (0, 1000),
        "first_page": (0, 1),
        "rate_limit": (0, 10000),
        "rate_seconds": (1, 3600),
        "connect_timeout": (1, 30),
        "read_timeout": (1, 60),
    }
    return [
        f"{key}: this is between {low} and {high}."
        for key, (low, high) in limits.items()
        if not low <= getattr(spec, key) <= high
    ]


def _check_zone(zone):
    try:
        ZoneInfo(zone)
    # Also of names that are no key: a path, a folder.
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"“{zone[:40]}” is no time zone.") from error


def check_endpoint(endpoint):
    """Return what is wrong with a call: ["path: ...", ...]."""
    problems, names = [], NAMES[endpoint.kind]
    if not endpoint.path.startswith("/") or endpoint.path.startswith("//"):
        problems.append("path: this begins with one /, what stands before it is the shop's address.")
    checks = [("path", endpoint.path)]
    for key in ("query_lines", "header_lines"):
        checks += [(key, template) for _name, template in read_pairs(getattr(endpoint, key))]
    try:
        checks.append(("body", endpoint.get_body()))
    except ValueError as error:
        problems.append(f"body: this is no JSON ({error}).")
    for key, template in checks:
        try:
            check(template, names)
        except TemplateError as error:
            problems.append(f"{key}: {error}")
    try:
        for name, _template in read_pairs(endpoint.header_lines):
            check_header(name, "")
    except TemplateError as error:
        problems.append(f"header_lines: {error}")
    if endpoint.body_format == "form" and endpoint.body and not endpoint.body.lstrip().startswith("{"):
        problems.append("body: a form is an object.")
    if not 1 <= endpoint.batch_size <= 1000:
        problems.append("batch_size: this is between 1 and 1000.")
    return problems
