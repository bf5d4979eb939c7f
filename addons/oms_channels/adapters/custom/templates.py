"""Templates: text or JSON with placeholders, filled from plain values. A placeholder is a JMESPath expression between
double braces; nothing is evaluated beyond that.

    {"number": "{{ tracking_number }}",                a value that is one placeholder keeps its type
     "text": "Sent by {{ carrier }}",
     "url?": "{{ tracking_url }}",                     a key with a question mark is left out when it is empty
     "items": {"for each": "lines", "give": {"id": "{{ item.id }}", "qty": "{{ item.quantity }}"}}}
"""

import json
import re
from functools import lru_cache
from urllib.parse import quote

from .expressions import Expression, ExpressionError, compile_expression

FOR_EACH, GIVE, ITEM = "for each", "give", "item"
MAX_DEPTH = 20
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}(?!\})", re.DOTALL)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")


class TemplateError(ValueError):
    """A template can't be read or filled. Its text is for people."""


@lru_cache(maxsize=4096)
def split(text):
    """Return the parts of a text: str as it is, Expression for each placeholder.

    :raise TemplateError: when a placeholder can't be read
    """
    parts, position = [], 0
    for match in _PLACEHOLDER.finditer(text):
        parts += [text[position : match.start()], _compile(match[1].strip())]
        position = match.end()
    rest = text[position:]
    if "{{" in rest:
        raise TemplateError(f"A placeholder is not closed: {rest[:60]}")
    return tuple(part for part in (*parts, rest) if part != "")


def _compile(text):
    try:
        return compile_expression(text)
    except ExpressionError as error:
        raise TemplateError(f"{{{{ {text} }}}}: {error}") from error


def check(node, names, depth=0):
    """Read a template as it would be filled.

    :param names: what placeholders may start with
    :raise TemplateError: naming what can't be read or is not known
    """
    if depth > MAX_DEPTH:
        raise TemplateError("The template is nested too deeply.")
    if isinstance(node, str):
        for part in split(node):
            if isinstance(part, Expression):
                _check_names(part, names)
    elif isinstance(node, list):
        for one in node:
            check(one, names, depth + 1)
    elif isinstance(node, dict) and FOR_EACH in node:
        _check_list(node, names, depth)
    elif isinstance(node, dict):
        for value in node.values():
            check(value, names, depth + 1)


def find_names(node):
    """Return the names that the placeholders of a template start with."""
    if isinstance(node, str):
        return {name for part in split(node) if isinstance(part, Expression) for name in part.roots}
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return {name for one in inner for name in find_names(one)}


def _check_list(node, names, depth):
    if set(node) != {FOR_EACH, GIVE} or not isinstance(node[FOR_EACH], str):
        raise TemplateError(f'"{FOR_EACH}" (an expression) stands beside "{GIVE}" (what each becomes), and alone.')
    _check_names(_compile(node[FOR_EACH]), names)
    check(node[GIVE], {*names, ITEM}, depth + 1)


def _check_names(expression, names):
    unknown = sorted(expression.roots - set(names))
    if unknown:
        known = ", ".join(sorted(names))
        raise TemplateError(f"{{{{ {expression.text} }}}}: “{unknown[0]}” is not known here. Known are: {known}.")


def render(node, context):
    """Return a JSON template filled from ``context``."""
    if isinstance(node, str):
        parts = split(node)
        if len(parts) == 1 and isinstance(parts[0], Expression):
            return _search(parts[0], context)
        return _join(parts, context)
    if isinstance(node, list):
        return [render(one, context) for one in node]
    if isinstance(node, dict):
        return _render_list(node, context) if FOR_EACH in node else _render_object(node, context)
    return node


def _render_list(node, context):
    rows = _search(_compile(node[FOR_EACH]), context)
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise TemplateError(f'"{FOR_EACH}": {node[FOR_EACH]} gives no list.')
    return [render(node[GIVE], {**context, ITEM: row}) for row in rows]


def _render_object(node, context):
    result = {}
    for key, template in node.items():
        value = render(template, context)
        if not key.endswith("?"):
            result[key] = value
        elif value not in (None, "", [], {}):
            result[key[:-1]] = value
    return result


def render_text(text, context):
    """Return a text template filled; nothing becomes an empty text."""
    return _join(split(text), context)


def render_path(text, context):
    """Return a path template filled. Each value is one segment, whatever is in it.

    :raise TemplateError: when a value is missing: the call would go to another address
    """
    result = ""
    for part in split(text):
        if isinstance(part, str):
            result += part
            continue
        value = to_text(_search(part, context))
        if value in ("", ".", ".."):
            raise TemplateError(f"{{{{ {part.text} }}}} is empty, so the address can't be made.")
        result += quote(value, safe="")
    return result


def render_pairs(pairs, context):
    """Return [(name, text)] of pairs of templates; what is empty is left out, a list becomes several pairs."""
    result = []
    for name, template in pairs:
        value = render(template, context)
        for one in value if isinstance(value, list) else [value]:
            if one is not None and one != "":
                result.append((name, to_text(one)))
    return result


def read_pairs(text):
    """Return ((name, template), ...) of lines "name = template" (or "name: template").

    :raise TemplateError: naming the line that is neither
    """
    pairs = []
    for line in (text or "").splitlines():
        if not line.strip():
            continue
        name, sign, template = _split_line(line)
        if not sign or not name:
            raise TemplateError(f"“{line.strip()[:60]}” is not of the form: name = value")
        pairs.append((name, template))
    return tuple(pairs)


def _split_line(line):
    """The first = or : that is in no placeholder parts the name from the value; a name may hold brackets and dots."""
    match = re.match(r"\s*([^={]*?)\s*(=|:\s)\s*(.*?)\s*\Z", line)
    return match.groups() if match else ("", "", "")


def check_header(name, value):
    """:raise TemplateError: when a header could be used to smuggle in another"""
    if not _HEADER_NAME.match(name):
        raise TemplateError(f"“{name[:40]}” is no name of a header.")
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in value):
        raise TemplateError(f"The header {name} has a line break in it.")


def to_text(value):
    """A value as it stands in a text: yes and no as JSON has them, objects as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _join(parts, context):
    return "".join(part if isinstance(part, str) else to_text(_search(part, context)) for part in parts)


def _search(expression, context):
    unknown = expression.roots - set(context)
    if unknown:
        raise TemplateError(f"{{{{ {expression.text} }}}}: “{min(unknown)}” is not known here.")
    try:
        return expression.search(context)
    except ExpressionError as error:
        raise TemplateError(f"{{{{ {expression.text} }}}}: {error}") from error
