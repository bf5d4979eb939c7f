from odoo import fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# An order in one of these is still to be judged; later stages can't be changed by a rule any more.
OPEN_STAGES = ("new", "held", "waiting", "ready", "picked", "packed", "part_shipped")
COMPARISONS = {"<": SQL("<"), "<=": SQL("<="), ">": SQL(">"), ">=": SQL(">=")}
PATTERNS = {"like": SQL("LIKE"), "ilike": SQL("ILIKE"), "=like": SQL("LIKE"), "=ilike": SQL("ILIKE")}


class SaleOrder(models.Model):
    """Facts: what a rule can ask for in a domain but no plain field says. Each is computed for a batch of orders.

    A new fact is a computed field with a search method; a rule can use it as soon as it is there. One that SQL can say
    is a `SqlFact`: `_assign_sql_facts` computes and `by_sql` searches it, by the same expression. What a fact asks of
    the order itself stands in its `@api.depends`: a change of that has the rules judged again that ask for the fact.

    Facts look at what was before the order, never after it, so that judging a past order again finds what it would have
    found then. Lists that people keep (areas, coupons, blacklist, keywords), costs and credit are as they are today.
    """

    _inherit = "sale.order"

    oms_company_currency_id = fields.Many2one(related="company_id.currency_id", string="Company Currency")

    def _assign_sql_facts(self, facts):
        """Set fields of these orders from one query.

        :param facts: dict {field name: SqlFact}
        """
        for name in facts:  # most facts of most orders
            self[name] = False
        rows = self._query_sql_facts(facts)
        for order in self:
            for name, value in zip(facts, rows.get(order._origin.id, ()), strict=False):
                if value:
                    order[name] = value

    def _query_sql_facts(self, facts):
        """Return {order id: tuple of values in the order of ``facts``}."""
        ids = tuple(self._origin.ids)
        if not ids:
            return {}
        rows = self.env.execute_query(
            SQL(
                "SELECT o.id, %s FROM sale_order o %s WHERE o.id IN %s",
                SQL(", ").join(fact.expression for fact in facts.values()),
                SQL(" ").join(dict.fromkeys(join for fact in facts.values() for join in fact.joins)),
                ids,
            )
        )
        return {order_id: values for order_id, *values in rows}

    def _search_sql_fact(self, facts_method, name, operator, value):
        """Return the Domain of the orders whose fact compares so: a subquery, no order is read."""
        fact = getattr(self, facts_method)()[name]
        condition = self._get_fact_condition(self._fields[name], fact.expression, operator, value)
        if condition is NotImplemented:
            return NotImplemented
        query = SQL("SELECT o.id FROM sale_order o %s WHERE %s", SQL(" ").join(fact.joins), condition)
        return Domain("id", "in", query)

    def _get_fact_condition(self, field, expression, operator, value):
        """Return the SQL that compares a fact, or NotImplemented: Odoo then asks for the opposite and negates it."""
        if operator == "in":
            if field.type == "boolean":
                return SQL("(%s) IS TRUE", expression) if True in value else SQL("(%s) IS NOT TRUE", expression)
            if field.type == "char":
                texts = tuple(item for item in value if item) or ("",)
                is_unset = SQL(" OR (%s) IS NULL", expression) if len(texts) < len(value) or "" in texts else SQL()
                return SQL("((%s) IN %s%s)", expression, texts, is_unset)
            return SQL("COALESCE((%s), 0) IN %s", expression, tuple(item or 0 for item in value) or (None,))
        if operator in COMPARISONS and field.type != "char":
            return SQL("COALESCE((%s), 0) %s %s", expression, COMPARISONS[operator], value)
        if operator in PATTERNS and field.type == "char":
            pattern = value if operator.startswith("=") else f"%{value}%"
            return SQL("(%s) %s %s", expression, PATTERNS[operator], pattern)
        return NotImplemented

    def _search_open_fact(self, name, operator, value):
        """Search a fact that only matters until an order has left: compute it for the open orders of channels."""
        if operator.startswith("not"):
            return NotImplemented
        orders = self.search([("channel_id", "!=", False), ("oms_stage", "in", OPEN_STAGES)])
        matching = orders.filtered_domain([(name, operator, value)])
        if operator == "in" and not all(value):
            return Domain("id", "not in", (orders - matching).ids)
        return Domain("id", "in", matching.ids)

    def _get_source_fields(self, model, *names):
        """Return the fields that a query reads from a model, for its ``to_flush``."""
        return tuple(self.env[model]._fields[name] for name in names)

    def _get_fact_values(self, names):
        """Return what one order says in these fields, as JSON-able values: the evidence of a rule.

        :param names: field names, also dotted; unknown ones are left out
        :return: dict {name: value}
        """
        self.ensure_one()
        values = {}
        for name in names:
            record = self
            *path, last = name.split(".")
            for part in path:
                record = record[part] if part in record._fields and record._fields[part].relational else None
                if record is None:
                    break
            if record is not None and last in record._fields:
                items = [self._prepare_fact_value(item[last]) for item in record]
                values[name] = items[0] if len(items) == 1 else items
        return values

    def _prepare_fact_value(self, value):
        """Return a field's value as JSON can hold it: records by name, dates as text."""
        if isinstance(value, models.BaseModel):
            return ", ".join(value.mapped("display_name"))
        return value if isinstance(value, (bool, int, float, str, dict, list)) else str(value)
