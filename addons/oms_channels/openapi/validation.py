"""Checks requests against the components. Errors are sentences with a path, for the partner's developer."""

import json
import re
from datetime import date, datetime
from functools import cache

import jsonschema
from jsonschema.exceptions import ValidationError as SchemaViolation
from jsonschema.validators import extend

from . import schemas

MAX_ERRORS = 20
# Deeper than any request we know; a parser that recurses must not get there.
MAX_DEPTH = 20


class BodyError(ValueError):
    """The body is not JSON that we can read. ``code`` is the problem's."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def read_json(raw):
    """Return the JSON value of a request's body.

    :raise BodyError: bad UTF-8, bad JSON, too deep, names twice, numbers that are none
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyError("bad_encoding", f"The body is not UTF-8 (byte {error.start}).") from error
    _check_depth(text)
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_read_object)
        # Half of a character outside the basic plane can be written as an escape, but never be stored.
        json.dumps(value, ensure_ascii=False).encode()
    except BodyError:
        raise
    except (ValueError, RecursionError) as error:
        raise BodyError("bad_json", f"The body is no JSON: {str(error)[:200]}") from error
    return value


def _check_depth(text):
    """Refuse deep nesting without parsing: brackets inside of texts are passed over."""
    depth = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
        sign = token[0]
        if sign in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise BodyError("too_deep", f"The JSON is nested deeper than {MAX_DEPTH} levels.")
        elif sign in "]}":
            depth -= 1


def _refuse_constant(name):
    raise BodyError("bad_json", f"{name} is no JSON number.")


def _read_object(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BodyError("bad_json", "An object has the same name twice.")
    return value


def _match_pattern(validator, pattern, instance, schema):
    # Python's $ lets a line end pass that JSON Schema's does not.
    if validator.is_type(instance, "string") and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield SchemaViolation(f"{instance!r} does not match {pattern!r}")


_Validator = extend(jsonschema.Draft202012Validator, {"pattern": _match_pattern})
_formats = jsonschema.FormatChecker(formats=())


@_formats.checks("date-time", raises=ValueError)
def _is_moment(value):
    return not isinstance(value, str) or bool(datetime.fromisoformat(value).tzinfo)


@_formats.checks("date", raises=ValueError)
def _is_date(value):
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@cache
def _get_validator(name):
    return _Validator(_resolve(schemas.ref(name)), format_checker=_formats)


def _resolve(schema):
    """The schema with its references replaced by what they name: following them takes most of the time else."""
    if isinstance(schema, list):
        return [_resolve(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolve(schemas.COMPONENTS[schema["$ref"].rsplit("/", 1)[1]])
    return {key: _resolve(value) for key, value in schema.items()}


def check(name, value):
    """Return what is wrong with a value as the component of this name: [{"path", "message"}, ...], the first ones."""
    return _describe(_get_validator(name), value)


def find_faults(name, value):
    """Yield (path, rule, its limit) of what is wrong, for who has sentences of their own. For "required" the limit is
    the list of what is missing."""
    for error in _get_validator(name).iter_errors(value):
        limit = error.validator_value
        if error.validator == "required":
            limit = [field for field in limit if field not in error.instance]
        yield tuple(error.absolute_path), error.validator, limit


def check_envelope(name, value):
    """The same, but what a list holds is left to its own check: one bad order must not refuse the others."""
    schema = schemas.COMPONENTS[name]
    properties = {
        field: {**one, "items": {}} if one.get("type") == "array" else one
        for field, one in schema["properties"].items()
    }
    return _describe(_Validator({**schema, "properties": properties}, format_checker=_formats), value)


def check_schema(schema, value, path):
    """The same for a parameter's own schema."""
    errors = _describe(_Validator(schema, format_checker=_formats), value)
    return [{**error, "path": path + error["path"].removeprefix("/")} for error in errors]


def _describe(validator, value):
    errors = []
    for error in validator.iter_errors(value):
        path = "".join(f"/{part}" for part in error.absolute_path)
        errors.append({"path": path, "message": _get_sentence(error)})
        if len(errors) == MAX_ERRORS:
            break
    return errors


def _get_sentence(error):
    """One sentence of an error, which repeats at most a little of what was sent."""
    rule, schema, value = error.validator, error.schema, error.instance
    if rule == "required":
        missing = [name for name in schema["required"] if name not in value]
        return f"Missing: {', '.join(missing)}."
    if rule == "additionalProperties":
        unknown = [str(name)[:40] for name in value if name not in schema["properties"]]
        return f"Unknown: {', '.join(sorted(unknown)[:10])}."
    if rule == "type":
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return f"Must be {' or '.join(kinds)}."
    sentences = {
        "enum": lambda: f"Must be one of {', '.join(map(str, schema['enum']))}.",
        "pattern": lambda: "Has characters or a form that is not allowed here.",
        "format": lambda: f"Is no {schema['format']}.",
        "maxLength": lambda: f"Is longer than {schema['maxLength']} characters.",
        "minItems": lambda: f"Needs at least {schema['minItems']}.",
        "maxItems": lambda: f"Has more than {schema['maxItems']}.",
        "minimum": lambda: f"Must be at least {schema['minimum']}.",
        "maximum": lambda: f"Must be at most {schema['maximum']}.",
    }
    return sentences.get(rule, lambda: "Is not allowed.")()
