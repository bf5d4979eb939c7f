import logging

import psycopg2

from odoo import models
from odoo.fields import Domain
from odoo.tools import SQL, ormcache

from ...const import IN_MEMORY_LIMIT
from . import domain_words
from .const import DOMAIN_ERRORS

_logger = logging.getLogger(__name__)

# What of an order a rule may depend on, by the model whose fields it reads; for a field of the order see
# `_oms_get_watched_fields`.
PARTS_BY_MODEL = {"sale.order.line": "lines", "res.partner": "address"}


class SaleOrder(models.Model):
    """Which orders match which rules. Nothing is changed here.

    All rules of one run judge the orders as they are at its beginning, so independent rules may stand in any order.
    Conditions on stored fields of all rules go into one query; facts, which are computed, are computed once for the
    orders that the stored conditions leave.
    """

    _inherit = "sale.order"

    def _oms_judge(self, specs):
        """Return {spec: the orders that match it}, in the order of ``specs``; a stopping rule keeps its from the rest.

        :param specs: list of `spec.RuleSpec`
        """
        ids_by_spec = self._oms_match(specs)
        matched, stopped = {}, set()
        positions = {order_id: position for position, order_id in enumerate(self._ids)}
        for spec in specs:
            ids = ids_by_spec[spec] - stopped
            if spec.companies:
                ids = {order.id for order in self.browse(ids) if spec.applies_to(order.company_id.id)}
            matched[spec] = sorted(ids, key=positions.__getitem__)
            if spec.is_stop:
                stopped.update(matched[spec])
        # What is read for the actions is read for the orders that matched, not for all.
        prefetch_ids = tuple(dict.fromkeys(order_id for ids in matched.values() for order_id in ids))
        nothing = self.browse()
        return {spec: self.browse(ids).with_prefetch(prefetch_ids) if ids else nothing for spec, ids in matched.items()}

    def _oms_match(self, specs):
        """Return {spec: set of the ids of these orders that its domain matches}."""
        if len(self) <= IN_MEMORY_LIMIT:
            return {spec: self._oms_match_in_memory(spec) for spec in specs}
        stored, computed = {}, {}
        for spec in specs:
            stored[spec], computed[spec] = self._oms_split_domain(spec.domain)
        ids_by_spec = self._oms_match_in_sql(stored)
        self._oms_compute_facts(computed, ids_by_spec)
        for spec, domain in computed.items():
            if not domain.is_true():
                candidates = self.browse(ids_by_spec[spec]).with_prefetch(self._prefetch_ids)
                ids_by_spec[spec] = candidates._oms_match_in_memory(spec, domain)
        return ids_by_spec

    def _oms_match_in_memory(self, spec, domain=None):
        """Return the ids of these orders that ``domain`` matches, or all that ``spec`` says."""
        try:
            if domain is None and spec.predicate:
                return {order.id for order in self if spec.predicate(order)}
            return set(self.filtered_domain(spec.domain if domain is None else domain)._ids)
        except DOMAIN_ERRORS as error:
            # One rule that can't be judged does not keep the others from judging; its screen says what is wrong.
            _logger.warning("Review rule %s could not be judged: %s", spec.id, error)
            return set()

    def _oms_match_in_sql(self, domains):
        """Return {spec: set of ids} for domains over stored fields, all in one query.

        :param domains: dict {spec: Domain}
        """
        ids_by_spec = {spec: set(self._ids) for spec, domain in domains.items() if domain.is_true()}
        asked = [spec for spec, domain in domains.items() if not domain.is_true()]
        if not asked:
            return ids_by_spec
        try:
            with self.env.cr.savepoint():
                rows = self._query_flags([domains[spec] for spec in asked])
        except (*DOMAIN_ERRORS, psycopg2.DataError, psycopg2.ProgrammingError) as error:
            _logger.warning("The review rules are judged one by one: %s", error)
            return ids_by_spec | {spec: self._oms_match_in_memory(spec, domains[spec]) for spec in asked}
        for position, spec in enumerate(asked, 1):
            ids_by_spec[spec] = {row[0] for row in rows if row[position]}
        return ids_by_spec

    def _query_flags(self, domains):
        """Return rows (order id, whether the first domain matches, whether the second does, ...)."""
        # Of no record: amounts would be rounded by the currency of each.
        orders = self.browse().with_context(active_test=False)
        query = orders._search([("id", "in", self.ids)], order="id")
        domains = self._oms_ask_rows([domain.optimize_full(orders) for domain in domains])
        flags = [
            SQL("(%s) IS TRUE", domain.optimize_full(orders)._to_sql(orders, query.table, query)) for domain in domains
        ]
        return self.env.execute_query(query.select(SQL.identifier(query.table, "id"), *flags))

    def _oms_ask_rows(self, domains):
        """Return ``domains`` with the ids of those of these orders that have such lines (or other rows of their own) in
        place of the conditions on them. All conditions on one kind of rows are asked in one query, of the rows of these
        orders only: as subqueries each would look through the rows of every order there ever was."""
        asked = {}
        for domain in domains:
            for condition in domain.iter_conditions():
                if self._oms_is_about_rows(condition):
                    asked.setdefault(condition.field_expr, []).append(condition)
        found = {}
        for name, conditions in asked.items():
            ids_by_position = self._query_rows(name, [condition.value for condition in conditions])
            found |= {id(condition): ids for condition, ids in zip(conditions, ids_by_position, strict=True)}

        def replace(condition):
            if id(condition) not in found:
                return condition
            return Domain("id", "not in" if condition.operator.startswith("not") else "in", found[id(condition)])

        return [domain.map_conditions(replace) for domain in domains]

    def _oms_is_about_rows(self, condition):
        field = self._fields.get(condition.field_expr)
        if field is None or field.type != "one2many" or not isinstance(condition.value, Domain):
            return False
        return field.store and self.env[field.comodel_name]._fields[field.inverse_name].store

    def _query_rows(self, name, domains):
        """Return for each of ``domains`` the ids of the orders with a row of the one2many ``name`` that it matches."""
        field = self._fields[name]
        rows = self.env[field.comodel_name].with_context(**field.context, active_test=False)
        query = rows._search(Domain(field.inverse_name, "in", self.ids) & field.get_comodel_domain(self))
        flags = [SQL("bool_or(%s)", domain.optimize_full(rows)._to_sql(rows, query.table, query)) for domain in domains]
        order_id = SQL.identifier(query.table, field.inverse_name)
        query.groupby = order_id
        found = self.env.execute_query(query.select(order_id, *flags))
        return [[row[0] for row in found if row[position]] for position in range(1, len(domains) + 1)]

    def _oms_compute_facts(self, domains, ids_by_spec):
        """Compute the facts that ``domains`` ask for, each once for all orders that may need it."""
        ids_by_fact = {}
        for spec, domain in domains.items():
            for path in domain_words.get_field_paths(domain):
                name = path.split(".")[0]
                ids_by_fact.setdefault(name, set()).update(ids_by_spec[spec])
        for name, ids in ids_by_fact.items():
            field = self._fields[name]
            if ids and field.compute and not field.store and not field.related:
                field.compute_value(self.browse(sorted(ids)))

    def _oms_split_domain(self, domain):
        """Return ``domain`` as two that together say the same: one over stored fields, one over what is computed."""
        parts = domain_words.get_parts(domain)
        stored = [part for part in parts if self._oms_is_stored(part)]
        return Domain.AND(stored), Domain.AND([part for part in parts if part not in stored])

    def _oms_is_stored(self, domain):
        """Return whether all that ``domain`` reads is stored, so that SQL can say it without computing anything."""
        for path in domain_words.get_field_paths(domain):
            model = self
            for name in path.split("."):
                field = model._fields[name]
                if not field.store:
                    return False
                model = self.env[field.comodel_name] if field.relational else None
        return True

    # === WHAT A RULE DEPENDS ON === #

    def _oms_filter_dependent(self, specs, parts):
        """Return those of ``specs`` whose verdict a change of ``parts`` may change."""
        return [spec for spec in specs if (own := self._oms_get_parts(spec.domain)) & parts or not own]

    def _oms_get_parts(self, domain):
        """Return the parts of an order (keys of `sale.order._oms_get_watched_fields`) that ``domain`` depends on."""
        return frozenset().union(*(self._oms_get_path_parts(path) for path in domain_words.get_field_paths(domain)))

    @ormcache("path")
    def _oms_get_path_parts(self, path):
        parts, seen = set(), set()
        todo = [(self._name, path)]
        watched = self._oms_get_watched_fields()
        while todo:
            model_name, dotted = todo.pop()
            if (model_name, dotted) in seen:
                continue
            seen.add((model_name, dotted))
            model = self.env[model_name]
            for name in dotted.split("."):
                field = model._fields.get(name)
                if field is None:
                    break
                if part := watched.get(model._name, {}).get(name):
                    parts.add(part)
                todo += [(model._name, depend) for depend in self.pool.field_depends[field]]
                model = self.env[field.comodel_name] if field.relational else model
        return frozenset(parts)
