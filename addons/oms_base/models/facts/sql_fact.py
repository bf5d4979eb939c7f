"""How a fact is searched: by the SQL it is computed with, or by computing it for the open orders."""

from typing import NamedTuple

from odoo.tools import SQL


class SqlFact(NamedTuple):
    """A fact as SQL: an expression over the order ``o`` and the tables joined to it.

    The same expression serves compute and search, so that the two can't disagree.
    """

    expression: SQL
    joins: tuple = ()


def by_sql(facts_method, name):
    """Return the search method of the fact ``name``, one of those that the order's ``facts_method`` returns."""
    return lambda orders, operator, value: orders._search_sql_fact(facts_method, name, operator, value)


def by_compute(name):
    """Return the search method of a fact that SQL can't express: it is computed for the orders not shipped yet."""
    return lambda orders, operator, value: orders._search_open_fact(name, operator, value)
