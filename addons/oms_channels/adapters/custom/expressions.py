"""JMESPath, with errors in words and a few functions it lacks. Nothing in an expression can do more than read."""

from decimal import Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from functools import lru_cache

import jmespath
from jmespath import exceptions, functions
from jmespath.visitor import Options

# Longer is no path any more; what is nested deeper than Python's stack must not be tried at all.
MAX_LENGTH = 1000
# What stands on the right of these is read from what the left side gives, not from the whole.
_LEFT_ONLY = {
    "subexpression",
    "index_expression",
    "pipe",
    "projection",
    "value_projection",
    "flatten",
    "filter_projection",
    "slice",
}
_TYPE_WORDS = {"null": "nothing", "string": "text", "array": "a list", "object": "an object", "boolean": "yes or no"}


class ExpressionError(ValueError):
    """An expression can't be read, or can't be used on what it was given. Its text is for people."""


class _Functions(functions.Functions):
    """``where`` compares with a value from outside the list, which a JMESPath filter can't; the rest is arithmetic."""

    @functions.signature({"types": ["array", "null"]}, {"types": ["string"]}, {"types": []})
    def _func_where(self, rows, path, wanted):
        expression = compile_expression(path)
        return [row for row in rows or [] if _is_same(expression.search(row), wanted)]

    @functions.signature({"types": ["number", "string", "null"]}, {"types": ["number", "string", "null"]})
    def _func_add(self, left, right):
        return _calculate(lambda a, b: a + b, left, right)

    @functions.signature({"types": ["number", "string", "null"]}, {"types": ["number", "string", "null"]})
    def _func_subtract(self, left, right):
        return _calculate(lambda a, b: a - b, left, right)

    @functions.signature({"types": ["number", "string", "null"]}, {"types": ["number", "string", "null"]})
    def _func_multiply(self, left, right):
        return _calculate(lambda a, b: a * b, left, right)

    @functions.signature({"types": ["number", "string", "null"]}, {"types": ["number", "string"]})
    def _func_divide(self, left, right):
        return _calculate(lambda a, b: a / b, left, right)

    @functions.signature({"types": ["number", "string", "null"]}, {"types": ["number"]})
    def _func_fixed(self, number, digits):
        """Text with so many decimals, as many shops want amounts: fixed(amount, `2`)."""
        return f"{_to_number(number):.{min(max(int(digits), 0), 8)}f}"

    @functions.signature({"types": ["string", "null"]}, {"types": ["string"]})
    def _func_split(self, text, separator):
        if not separator:
            raise ExpressionError("split() needs a separator.")
        return [part.strip() for part in (text or "").split(separator)]

    @functions.signature({"types": ["string", "null"]})
    def _func_upper(self, text):
        return (text or "").upper()

    @functions.signature({"types": ["string", "null"]})
    def _func_lower(self, text):
        return (text or "").lower()


_OPTIONS = Options(custom_functions=_Functions())


def _is_same(found, wanted):
    """Shops give the same number once as text and once as number."""
    if isinstance(found, str | int | float) and isinstance(wanted, str | int | float):
        return str(found) == str(wanted)
    return found == wanted


def _to_number(value):
    if value is None or value == "":
        return Decimal(0)
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ExpressionError(f"{str(value)[:40]!r} is no number.") from error
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise ExpressionError(f"{str(value)[:40]!r} is no number to calculate with.")
    return number


def _calculate(operation, left, right):
    with localcontext() as context:
        context.prec = 40
        try:
            number = operation(_to_number(left), _to_number(right))
        except (DivisionByZero, InvalidOperation, Overflow) as error:
            raise ExpressionError(f"{left!r} and {right!r} can't be calculated with.") from error
    return int(number) if number == number.to_integral_value() else float(number)


class Expression:
    """A compiled expression. :ivar roots: names it reads from the top of what it is given"""

    def __init__(self, text, parsed):
        self.text, self._parsed = text, parsed
        self.roots = frozenset(_get_roots(parsed.parsed))

    def __repr__(self):
        return f"<Expression {self.text}>"

    def search(self, data):
        """Return what the expression gives on ``data``, None for nothing.

        :raise ExpressionError: when a function is given what it can't take
        """
        try:
            return self._parsed.search(data, options=_OPTIONS)
        except exceptions.JMESPathTypeError as error:
            got = _TYPE_WORDS.get(str(error.actual_type), str(error.actual_type))
            wanted = " or ".join(_TYPE_WORDS.get(kind, kind) for kind in _as_list(error.expected_types))
            raise ExpressionError(f"{error.function_name}() takes {wanted}, but is given {got}.") from error
        except ExpressionError:
            raise
        except (exceptions.JMESPathError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise ExpressionError(f"The expression can't be used on this: {_first_line(error)}") from error
        except RecursionError as error:
            raise ExpressionError("What the shop sent is nested too deeply.") from error


@lru_cache(maxsize=4096)
def compile_expression(text):
    """Return the Expression of a text.

    :raise ExpressionError: saying in words what can't be read
    """
    if not isinstance(text, str) or not text.strip():
        raise ExpressionError("The expression is empty.")
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"The expression is longer than {MAX_LENGTH} characters.")
    try:
        parsed = jmespath.compile(text)
        _check_functions(parsed.parsed)
    except exceptions.ParseError as error:
        raise ExpressionError(_describe_parse_error(text, error)) from error
    except RecursionError as error:
        raise ExpressionError("The expression is nested too deeply.") from error
    except ExpressionError:
        raise
    except (exceptions.JMESPathError, TypeError, ValueError) as error:
        raise ExpressionError(f"The expression can't be read: {_first_line(error)}") from error
    return Expression(text, parsed)


def search(text, data):
    """Return what an expression text gives on ``data``."""
    return compile_expression(text).search(data)


def _describe_parse_error(text, error):
    if isinstance(error, exceptions.IncompleteExpressionError):
        return f"The expression ends too early: {text}"
    position = error.lex_position if isinstance(error.lex_position, int) else 0
    token = text[position : position + 10] or "the end"
    hint = ' Names with other signs than letters, digits and _ stand in double quotes: "a-b".' if "-" in text else ""
    return f"The expression can't be read at character {position + 1} ({token}).{hint}"


def _check_functions(node):
    if node["type"] == "function_expression":
        known = _Functions.FUNCTION_TABLE.get(node["value"])
        if known is None:
            raise ExpressionError(f"There is no function {node['value']}().")
        signature, count = known["signature"], len(node["children"])
        is_variadic = bool(signature and signature[-1].get("variadic"))
        if count < len(signature) or (count > len(signature) and not is_variadic):
            raise ExpressionError(f"{node['value']}() takes {len(signature)} values, not {count}.")
    for child in node["children"]:
        if isinstance(child, dict):
            _check_functions(child)


def _get_roots(node):
    """Names of the fields that are read from the top; what is behind a dot or in a filter is not."""
    kind, children = node["type"], [child for child in node["children"] if isinstance(child, dict)]
    if kind == "field":
        return {node["value"]}
    if kind in ("literal", "identity", "current", "expref", "index"):
        return set()
    if kind in _LEFT_ONLY:
        children = children[:1]
    return set().union(*(_get_roots(child) for child in children)) if children else set()


def _as_list(value):
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)]


def _first_line(error):
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
