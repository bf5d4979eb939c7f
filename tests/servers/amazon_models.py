"""Amazon's own published models of its Selling Partner API (folder ``amazon``, Apache-2.0): what a call and an answer
must look like."""

import functools
import json
import re
from pathlib import Path
from urllib.parse import unquote

import jsonschema

FOLDER = Path(__file__).parent / "amazon"


class Operation:
    def __init__(self, document, path, method, spec):
        self.document, self.path, self.method, self.spec = document, path, method, spec
        self.name = spec["operationId"]
        self._pattern = re.compile(re.sub(r"\\?\{(\w+)\\?\}", r"(?P<\1>[^/]+)", re.escape(path)))

    def match(self, method, path):
        """{name: value} of the path's parameters, None when it is another call."""
        found = self._pattern.fullmatch(path) if method.lower() == self.method else None
        return {name: unquote(value) for name, value in found.groupdict().items()} if found else None

    def check_request(self, query, body):
        """What is wrong with a call, "" for nothing. :param query: {name: text}"""
        known = {row["name"]: row for row in self.spec.get("parameters", ()) if row.get("in") == "query"}
        if unknown := set(query) - set(known):
            return f"There are no parameters {sorted(unknown)}."
        for name, row in known.items():
            if name not in query:
                if row.get("required"):
                    return f"The parameter {name} is missing."
                continue
            if problem := _check_value(row, query[name]):
                return f"{name}: {problem}"
        for row in self.spec.get("parameters", ()):
            if row.get("in") == "body":
                return self._check(row["schema"], body)
        return ""

    def check_answer(self, status, body):
        schema = self.spec["responses"][str(status)].get("schema")
        return self._check(schema, body) if schema else ""

    def _check(self, schema, value):
        full = {**schema, "definitions": self.document["definitions"]}
        errors = list(jsonschema.Draft4Validator(full).iter_errors(value))
        return "; ".join(f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in errors[:3])

    def get_example(self, status=200):
        return json.loads(json.dumps(self.spec["responses"][str(status)]["examples"]["application/json"]))


def _check_value(row, text):
    if row.get("type") == "array":
        values = text.split(",")
        if row.get("maxItems") and len(values) > row["maxItems"]:
            return f"more than {row['maxItems']} values."
        return next((problem for value in values if (problem := _check_value(row.get("items", {}), value))), "")
    if row.get("type") == "integer":
        if not text.isdigit():
            return f"{text!r} is no number."
        if not row.get("minimum", 0) <= int(text) <= row.get("maximum", 10**9):
            return f"{text} is out of range."
    if row.get("enum") and text not in row["enum"]:
        return f"{text!r} is none of {row['enum']}."
    if row.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", text):
        return f"{text!r} is no time."
    return ""


@functools.cache
def load():
    """[Operation] of all models."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        for route, methods in document["paths"].items():
            found += [Operation(document, route, name, spec) for name, spec in methods.items() if name != "parameters"]
    return found


def get(name, path=""):
    """The operation of a name; ``path`` tells versions apart."""
    return next(one for one in load() if one.name == name and path in one.path)
