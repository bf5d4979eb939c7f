"""The OpenAPI 3.1 document, and a page of it that needs nothing from elsewhere."""

from functools import cache
from html import escape

from . import schemas
from .operations import OPERATIONS, PREFIX, SCOPES, VERSION

PROBLEM_TYPE = "application/problem+json"
_COMMON = {
    400: "The request is not understood.",
    401: "The key is missing, wrong, expired or revoked.",
    429: "Too many calls: wait as Retry-After says.",
}
_RATE_HEADERS = {
    "RateLimit-Limit": "Calls a minute.",
    "RateLimit-Remaining": "Calls left now.",
    "RateLimit-Reset": "Seconds until all are left again.",
}


@cache
def build_document():
    """Return the OpenAPI document as a dict. Treat it as read-only."""
    paths = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OMS inbound API",
            "version": VERSION,
            "description": "For mini programs, own apps and partners: orders in; their state, parcels, refunds and "
            "sellable stock out. Errors are RFC 9457 problem details with a stable code.",
        },
        "servers": [{"url": PREFIX}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.COMPONENTS,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key of a channel. Scopes: "
                    + "; ".join(f"{scope}: {meaning.lower()}" for scope, meaning in SCOPES.items()),
                }
            },
        },
    }


def _describe(operation):
    described = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description + (f" Needs the scope {operation.scope}." if operation.scope else ""),
        "parameters": [*operation.parameters, *([_IDEMPOTENCY] if operation.is_idempotent else [])],
        "responses": {
            **{
                str(status): _response(text, schemas.ref(component), "application/json")
                for status, (component, text) in operation.responses.items()
            },
            **{str(status): _response(text) for status, text in sorted(_get_problems(operation).items())},
        },
    }
    if operation.body:
        described["requestBody"] = {
            "required": not operation.is_body_optional,
            "content": {"application/json": {"schema": schemas.ref(operation.body)}},
        }
    return described


def _get_problems(operation):
    problems = dict(_COMMON)
    if operation.scope:
        problems[403] = "The key lacks the scope."
    if "{" in operation.path:
        problems[404] = "The channel has no such order."
    if operation.body:
        problems |= {
            413: "The body is larger than 2 MB.",
            415: "The body is not application/json.",
            422: "Nothing of it can be accepted: see errors and results.",
        }
    if operation.is_idempotent:
        problems[409] = "The Idempotency-Key was used with another body."
    return problems


_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
    "description": "The same key with the same body gives the same answer for a week and does nothing twice.",
}


def _response(text, schema=None, media=PROBLEM_TYPE):
    headers = {name: {"schema": {"type": "integer"}, "description": meaning} for name, meaning in _RATE_HEADERS.items()}
    return {
        "description": text,
        "headers": headers,
        "content": {media: {"schema": schema or schemas.ref("Problem")}},
    }


# === PAGE === #

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
code,pre{font:13px/1.45 ui-monospace,monospace;background:#f4f4f6;border-radius:4px;padding:.1em .3em}
pre{padding:.8em;overflow:auto}h2{margin-top:2.2em;border-bottom:1px solid #ddd}
table{border-collapse:collapse;width:100%}
td,th{border:1px solid #ddd;padding:.3em .6em;text-align:left;vertical-align:top}
.method{display:inline-block;min-width:3.5em;font-weight:700;color:#714b67}
"""


_LINK = f'Machine-readable: <a href="{PREFIX}/openapi.json">openapi.json</a>.'


@cache
def build_page():
    """Return the document as HTML for a person: no script, nothing loaded from elsewhere."""
    document = build_document()
    body = [
        f"<h1>{escape(document['info']['title'])} {escape(VERSION)}</h1>",
        f"<p>{escape(document['info']['description'])}</p>",
        f"<p>Base path <code>{PREFIX}</code>, key in <code>Authorization: Bearer</code>. {_LINK}</p>",
        "<h2>Scopes</h2>",
        _table(("Scope", "For"), SCOPES.items()),
        "<h2>Calls</h2>",
        *(_operation_html(operation) for operation in OPERATIONS),
        "<h2>Objects</h2>",
        *(_component_html(name, schema) for name, schema in schemas.COMPONENTS.items()),
    ]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>OMS inbound API</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(body)}</body></html>"
    )


def _table(head, rows):
    cells = "".join(f"<tr>{''.join(f'<td>{escape(str(value))}</td>' for value in row)}</tr>" for row in rows)
    return f"<table><tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>{cells}</table>"


def _operation_html(operation):
    described = _describe(operation)
    rows = [(one["name"], one["in"], one.get("description") or "") for one in described["parameters"]]
    if operation.body:
        rows.append(("body", "application/json", operation.body))
    answers = [(status, one["description"]) for status, one in described["responses"].items()]
    return (
        f'<h3 id="{operation.name}"><span class="method">{operation.method}</span> '
        f"<code>{escape(PREFIX + operation.path)}</code></h3><p><b>{escape(operation.summary)}.</b> "
        f"{escape(described['description'])}</p>"
        + (_table(("Parameter", "In", "What"), rows) if rows else "")
        + _table(("Answer", "Meaning"), answers)
    )


def _component_html(name, schema):
    required = set(schema.get("required", ()))
    rows = [
        (field, _kind(one), "yes" if field in required else "", one.get("description") or "")
        for field, one in schema["properties"].items()
    ]
    return f'<h3 id="{name}">{name}</h3><p>{escape(schema.get("description") or "")}</p>' + _table(
        ("Field", "Kind", "Always", "What"), rows
    )


def _kind(schema):
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[1]
    if "enum" in schema:
        return " | ".join("null" if value is None else str(value) for value in schema["enum"])
    kinds = schema.get("type", "")
    kind = " | ".join(kinds) if isinstance(kinds, list) else kinds
    return f"list of {_kind(schema['items'])}" if kind == "array" else kind
