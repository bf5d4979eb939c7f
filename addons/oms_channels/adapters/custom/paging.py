"""Pages of a list, in the style a connector names. What the caller keeps is an opaque text."""

import hashlib
import json
import re
from urllib.parse import urljoin, urlsplit

from ..errors import BadResponse
from . import templates
from .expressions import ExpressionError, search

# A list that does not end by then does not end at all.
MAX_PAGES = 20000
_LINK = re.compile(r'<([^>]*)>\s*;[^,]*?\brel="?next"?', re.IGNORECASE)


def read_cursor(text):
    """The state behind a cursor: ``n`` pages read, ``c`` the shop's mark, ``u`` its link, ``i`` what the last page had,
    ``s`` the time that a sorted list is read from."""
    if not text:
        return {}
    try:
        state = json.loads(text)
    except ValueError as error:
        raise BadResponse("The mark of the next page is broken.", retryable=False) from error
    return state if isinstance(state, dict) else {}


def write_cursor(state):
    return None if state is None else json.dumps(state, separators=(",", ":"))


def get_limit(spec, limit):
    return min(limit, spec.page_size) if spec.page_size else limit


def fetch_page(client, endpoint, state, limit, context=(), params=()):
    """Return (rows, state of the next page or None).

    :param limit: how many rows to ask for
    """
    spec, number = client.spec, state.get("n", 0)
    mark = state.get("c", "")
    pages = {"page": spec.first_page + number, "offset": number * limit, "limit": limit, "cursor": mark}
    own = _get_params(spec, pages)
    data, headers = client.call(endpoint, {**dict(context), **pages}, (*params, *own), state.get("u"))
    rows = get_rows(endpoint.answer_expression, data)
    fingerprint = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:16]
    if rows and number and fingerprint == state.get("i"):
        raise BadResponse(
            "The shop gives the same page again: the connector's name of the page parameter may be wrong.",
            retryable=False,
        )
    if number >= MAX_PAGES:
        raise BadResponse("The shop's list does not end.", retryable=False)
    following = _get_next(client, data, headers, rows, state, limit)
    return rows, following and {**following, "n": number + 1, "i": fingerprint}


def _get_params(spec, pages):
    """The pairs of the query that name the page."""
    style = spec.paging_style
    if style == "none":
        return ()
    value = {"page": pages["page"], "offset": pages["offset"], "cursor": pages["cursor"], "link": ""}[style]
    pairs = [(spec.page_param, value), (spec.size_param, pages["limit"])]
    return tuple((name, str(one)) for name, one in pairs if name and one != "")


def _get_next(client, data, headers, rows, state, limit):
    """What the next page is found by, None after the last."""
    spec = client.spec
    if spec.paging_style == "none":
        return None
    if spec.paging_style == "link":
        url = _get_link(headers.get("link", ""), client.config.base_url)
        return {"u": url} if url and url != state.get("u") else None
    if spec.more_expression and not find(spec.more_expression, data):
        return None
    if spec.paging_style == "cursor":
        mark = templates.to_text(find(spec.cursor_expression, data))
        return {"c": mark} if mark and mark != state.get("c") else None
    # Without a word of the shop only its own page size tells that a short page is the last; else an empty one does.
    if not rows or (not spec.more_expression and spec.page_size and len(rows) < limit):
        return None
    return {"o": True}


def _get_link(header, base_url):
    """Path and query of the next page. Another host is not followed: it would be given the keys."""
    match = _LINK.search(header)
    if not match:
        return None
    base, url = urlsplit(base_url), urlsplit(urljoin(base_url + "/", match[1]))
    if (url.scheme, url.netloc) != (base.scheme, base.netloc) or not url.path.startswith(base.path):
        raise BadResponse("The shop's next page is at another address, which is not followed.", retryable=False)
    return url.path[len(base.path) :] + (f"?{url.query}" if url.query else "")


def find(expression, data):
    """What an expression gives on an answer."""
    try:
        return search(expression, data)
    except ExpressionError as error:
        raise BadResponse(f"{expression}: {error}", retryable=False) from error


def get_rows(expression, data):
    """The list of objects in an answer."""
    rows = find(expression, data) if expression else data
    if rows is None:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        where = expression or "the answer itself"
        raise BadResponse(f"{where}: a list of objects is expected there.", retryable=False)
    return rows
