"""A domain in words, in the language of the environment, as a person would say it."""

import ast
from functools import lru_cache

from odoo.fields import Domain
from odoo.tools import OrderedSet, format_date, format_datetime

# More values than this are counted, not named.
MAX_NAMED_VALUES = 4


@lru_cache(maxsize=1024)
def parse(text):
    """Return the Domain that ``text``, a literal list as the domain editor writes it, stands for.

    :raise ValueError, SyntaxError, TypeError: when it is no such thing; nothing in it is ever evaluated
    """
    return Domain(ast.literal_eval((text or "[]").strip()))


def prepare(domain, model):
    """Return ``domain`` over ``model`` in the form that is judged by: what does not depend on the time of judging is
    worked out. Facts are not searched for here, which would compute them for every open order.

    :raise ValueError, KeyError: when it names a field that is not there, or compares what can't be compared
    """
    for path in get_field_paths(domain):
        resolve(path, model)
    return domain.optimize(model)


def describe(domain, model):
    """Return ``domain`` over ``model`` in words; empty when it says nothing.

    :raise ValueError, KeyError: when it names a field that is not there
    """
    return "" if domain.is_true() else _describe(domain, model, is_nested=False)


def get_parts(domain):
    """Return the domains that together, joined by "and", say what ``domain`` says."""
    return list(domain.children) if getattr(domain, "OPERATOR", None) == "&" else [domain]


def is_condition(domain):
    """Return whether ``domain`` is a single condition: (field_expr, operator, value)."""
    return hasattr(domain, "field_expr")


def get_field_paths(domain):
    """Return the dotted field paths that ``domain`` reads, those of its sub-domains included."""
    paths = set()
    for condition in domain.iter_conditions():
        if isinstance(condition.value, Domain):
            paths |= {f"{condition.field_expr}.{path}" for path in get_field_paths(condition.value)}
        paths.add(condition.field_expr)
    return paths


def _describe(domain, model, is_nested):
    if domain.is_true() or domain.is_false():
        return model.env._("always") if domain.is_true() else model.env._("never")
    operator = getattr(domain, "OPERATOR", None)
    if operator == "!":
        return model.env._("not (%(conditions)s)", conditions=_describe(~domain, model, is_nested=False))
    if operator in ("&", "|"):
        joint = model.env._(" and ") if operator == "&" else model.env._(" or ")
        words = joint.join(_describe(child, model, is_nested=True) for child in domain.children)
        return f"({words})" if is_nested else words
    if is_condition(domain):
        return _describe_condition(domain, model)
    return model.env._("a special condition")


def _describe_condition(condition, model):
    label, field, target = resolve(condition.field_expr, model)
    operator, value = condition.operator, condition.value
    if isinstance(value, Domain) and target is not None:
        words = describe(value, target) or model.env._("anything")
        if operator.startswith("not"):
            return model.env._("%(field)s: none where %(conditions)s", field=label, conditions=words)
        return model.env._("%(field)s: any where %(conditions)s", field=label, conditions=words)
    if isinstance(value, list | tuple | set | frozenset | OrderedSet):
        values = list(value)
        if len(values) == 1:
            operator, value = {"in": "=", "not in": "!="}.get(operator, operator), values[0]
        else:
            template = (
                model.env._("%(field)s is none of %(values)s")
                if operator == "not in"
                else model.env._("%(field)s is one of %(values)s")
            )
            return template % {"field": label, "values": _name_values(values, field, target, model)}
    if field.type == "boolean" and operator in ("=", "!="):
        return label if bool(value) == (operator == "=") else model.env._("not “%(field)s”", field=label)
    if value is False or value is None:
        return (
            model.env._("%(field)s is not set", field=label)
            if operator == "="
            else model.env._("%(field)s is set", field=label)
        )
    return _get_templates(model.env)[operator] % {"field": label, "value": _name_values([value], field, target, model)}


def _get_templates(env):
    return {
        "=": env._("%(field)s is %(value)s"),
        "!=": env._("%(field)s is not %(value)s"),
        ">": env._("%(field)s is above %(value)s"),
        ">=": env._("%(field)s is at least %(value)s"),
        "<": env._("%(field)s is below %(value)s"),
        "<=": env._("%(field)s is at most %(value)s"),
        "like": env._("%(field)s contains %(value)s"),
        "ilike": env._("%(field)s contains %(value)s"),
        "=like": env._("%(field)s looks like %(value)s"),
        "=ilike": env._("%(field)s looks like %(value)s"),
        "not like": env._("%(field)s does not contain %(value)s"),
        "not ilike": env._("%(field)s does not contain %(value)s"),
        "not =like": env._("%(field)s does not look like %(value)s"),
        "not =ilike": env._("%(field)s does not look like %(value)s"),
        "in": env._("%(field)s is one of %(value)s"),
        "not in": env._("%(field)s is none of %(value)s"),
        "child_of": env._("%(field)s is or belongs to %(value)s"),
        "parent_of": env._("%(field)s contains %(value)s"),
    }


def resolve(path, model):
    """Return (label, last field, its comodel or None) of a dotted path.

    :raise KeyError: when there is no such field
    """
    env, labels, field = model.env, [], None
    for name in path.split("."):
        if model is None or name not in model._fields:
            raise KeyError(env._("there is no field %(path)s", path=path))
        field = model._fields[name]
        labels.append(field._description_string(env))
        model = env[field.comodel_name] if field.relational else None
    return " › ".join(labels), field, model


def _name_values(values, field, target, model):
    """Return values as a person knows them: records by name, keys by label, dates in the language's format."""
    env = model.env
    names = []
    if target is not None and all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        # sudo: any model - a rule's sentence is the same for everybody who reads it
        records = target.sudo().browse(values[:MAX_NAMED_VALUES]).exists()
        names = [f"“{name}”" for name in records.mapped("display_name")]
    elif field.type == "selection":
        labels = dict(field._description_selection(env))
        names = [f"“{labels.get(value, value)}”" for value in values[:MAX_NAMED_VALUES]]
    else:
        names = [_name_value(value, field, env) for value in values[:MAX_NAMED_VALUES]]
    if len(values) > MAX_NAMED_VALUES:
        names.append(env._("%(count)s more", count=len(values) - MAX_NAMED_VALUES))
    return env._(", ").join(names)


def _name_value(value, field, env):
    if isinstance(value, bool):
        return env._("yes") if value else env._("no")
    if isinstance(value, int | float):
        return f"{value:.12g}"
    if field.type in ("date", "datetime") and isinstance(value, str):
        try:
            return format_date(env, value) if len(value) <= 10 else format_datetime(env, value)
        except ValueError:
            return value  # relative: "today -7d"
    if not isinstance(value, str):
        return str(value)
    return f"“{value}”"
