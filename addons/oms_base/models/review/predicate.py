"""A domain as a function of one record, made once and kept with the rule.

`filtered_domain` makes its functions anew for each call, which for one order and fifty rules costs far more than the
comparing itself. The comparisons are Odoo's own (`Field.filter_function`). What depends on more than the record (the
day, the place in a hierarchy) is not made into a function: None, and who asks takes `filtered_domain`.
"""

from collections.abc import Set as AbstractSet

from odoo.fields import Domain

_PLAIN_TYPES = ("boolean", "char", "date", "datetime", "float", "html", "integer", "monetary", "selection", "text")
_COLLECTIONS = (list, tuple, AbstractSet)


def compile_domain(domain, model):
    """Return a function that says of one record of ``model``, in the system's rights, whether ``domain`` holds; or
    None when it can't be said so.

    :param domain: as `domain_words.prepare` makes it
    """
    if domain.is_true() or domain.is_false():
        answer = domain.is_true()
        return lambda record: answer
    operator = getattr(domain, "OPERATOR", None)
    if operator == "!":
        inner = compile_domain(domain.child, model)
        return inner and (lambda record: not inner(record))
    if operator in ("&", "|"):
        parts = [compile_domain(child, model) for child in sorted(domain.children, key=lambda c: _get_cost(c, model))]
        if not all(parts):
            return None
        if operator == "&":
            return lambda record: all(part(record) for part in parts)
        return lambda record: any(part(record) for part in parts)
    return _compile_condition(domain, model) if hasattr(domain, "field_expr") else None


def _get_cost(domain, model):
    """What is cheap to read is asked first: columns, then other records, then what has to be computed."""
    fields = [model._fields.get(condition.field_expr) for condition in domain.iter_conditions()]
    return max((2 if field is None or not field.store else int(field.relational) for field in fields), default=0)


def _compile_condition(condition, model):
    field, operator = model._fields.get(condition.field_expr), condition.operator
    if field is None:
        return None
    positive = Domain.NEGATIVE_OPERATORS.get(operator, operator)
    compile_positive = _compile_relational if field.relational else _compile_plain
    found = compile_positive(field, positive, condition.value, model)
    if found is None or positive == operator:
        return found
    return lambda record: not found(record)


def _compile_plain(field, operator, value, model):
    values = list(value) if isinstance(value, _COLLECTIONS) else [value]
    is_relative = field.type in ("date", "datetime") and any(isinstance(item, str) for item in values)
    if field.type not in _PLAIN_TYPES or field.name == "display_name" or is_relative or not values:
        return None
    return field.filter_function(model, field.name, operator, value)


def _compile_relational(field, operator, value, model):
    read = field.__get__
    if operator in ("any", "any!") and isinstance(value, Domain):
        inner = compile_domain(value, model.env[field.comodel_name])
        if inner and field.type == "many2one":
            return lambda record: bool(other := read(record)) and inner(other)
        return inner and (lambda record: any(map(inner, read(record))))
    if operator != "in" or not isinstance(value, _COLLECTIONS):
        return None
    ids = {item for item in value if item}
    if not all(isinstance(item, int) and not isinstance(item, bool) for item in ids):
        return None
    if len(ids) < len(set(value)):
        return lambda record: not (others := read(record)) or not ids.isdisjoint(others._ids)
    return lambda record: not ids.isdisjoint(read(record)._ids)
