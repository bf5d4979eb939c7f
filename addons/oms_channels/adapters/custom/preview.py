"""What a connector makes of a sample, for the person who builds it. Pure."""

import dataclasses

from ..errors import AdapterError
from ..values import load_json
from . import targets
from .expressions import ExpressionError
from .mapper import FieldProblem, Reader, map_listing, map_order
from .spec import SpecError, read
from .templates import to_text

MAX_SHOWN = 120


def read_sample(text):
    """The sample of a text.

    :raise ValueError: saying in words why it can't be read
    """
    try:
        sample = load_json(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The sample is no JSON: {error}") from error
    if not isinstance(sample, dict):
        raise ValueError(  # noqa: TRY004  a person's text, not a programmer's value
            "The sample is one order: an object between { and }."
        )
    return sample


def preview_fields(data, sample, listing_sample=None):
    """Return {target: (text, problem)} of each field: what it gives, or what is wrong with it.

    :param data: plain data of a connector, which may have mistakes
    """
    result, fields = {}, []
    for row in data.get("fields", ()):
        try:
            [field] = read({"fields": [row]}).fields
            fields.append(field)
        except SpecError as error:
            result[row.get("target")] = ("", error.problems[0].partition(": ")[2])
    spec = read({**data, "fields": [], "endpoints": []}) if _is_readable(data) else read({})
    reader = Reader(_with_fields(spec, fields))
    currency = _try(reader, "order.currency", sample)[0] if sample else ""
    for field in fields:
        source = listing_sample if field.target.startswith("listing.") else sample
        if source is None:
            result[field.target] = ("", "")
        else:
            result[field.target] = _preview(reader, field, source, currency.upper())
    return result


def _is_readable(data):
    try:
        read({**data, "fields": [], "endpoints": []})
    except SpecError:
        return False
    return True


def _with_fields(spec, fields):
    return dataclasses.replace(spec, fields=tuple(fields), endpoints=())


def _preview(reader, field, source, currency):
    group, _name = targets.split_target(field.target)
    if group == "push" or not (field.expression or field.default):
        is_required = targets.TARGETS[field.target].is_required
        return "", "An expression is needed here." if is_required and _is_used(reader, group) else ""
    try:
        source = _get_source(reader, group, source)
    except (FieldProblem, ExpressionError) as error:
        return "", str(error)
    if source is None:
        return "", ""
    text, problem = _try(reader, field.target, source, currency)
    if not text and not problem and targets.TARGETS[field.target].is_required:
        problem = f"Nothing is at {field.expression}."
    return text, problem


def _is_used(reader, group):
    return group in ("order", "line") or reader.is_mapped(group)


def _get_source(reader, group, sample):
    """What the group's first object is read from, None when the sample has none."""
    container = targets.CONTAINERS.get(group)
    if not container or container not in reader.groups["order"]:
        return sample
    found = reader.read_target(f"order.{container}", sample)
    if isinstance(found, list):
        return found[0] if found else None
    return found


def _try(reader, key, source, currency=""):
    try:
        return show(reader.read_target(key, source, currency)), ""
    except (FieldProblem, ExpressionError) as error:
        return "", str(error)


def show(value):
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict | list):
        return f"{len(value)} ×"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if hasattr(value, "strftime"):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC") if hasattr(value, "hour") else value.isoformat()
    text = f"{value.normalize():f}" if hasattr(value, "normalize") else to_text(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def preview_order(data, sample):
    """(ChannelOrder, "") of a sample, or (None, what is wrong)."""
    try:
        return map_order(read(data), sample), ""
    except SpecError as error:
        return None, str(error)
    except AdapterError as error:
        return None, error.message


def preview_listing(data, sample, currency=""):
    """(Listing, "") of a sample, or (None, what is wrong)."""
    try:
        return map_listing(read(data), sample, currency), ""
    except SpecError as error:
        return None, str(error)
    except AdapterError as error:
        return None, error.message
