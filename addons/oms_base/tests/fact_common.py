from datetime import datetime, timedelta

from odoo.addons.oms_base.tests.common import OmsBaseCommon

NOON = datetime(2024, 5, 20, 12, 0)


class FactCommon(OmsBaseCommon):
    """Orders of a past day, so that nothing depends on the clock."""

    @classmethod
    def _order_at(cls, hours=0, lines=None, **values):
        return cls._create_order(lines, date_order=NOON + timedelta(hours=hours), **values)

    def _assert_found(self, orders, name):
        """Check that searches for the fact and for its opposite agree with what is computed; return who has it."""
        self.env.flush_all()
        self.env.invalidate_all()
        having = orders.filtered(name)
        boolean = orders._fields[name].type == "boolean"
        within = [("id", "in", orders.ids)]
        Order = self.env["sale.order"]
        found = Order.search([*within, (name, "=", True) if boolean else (name, "!=", False)])
        self.assertEqual(found, having, name)
        self.assertEqual(Order.search([*within, (name, "=", False)]), orders - having, name)
        return having
