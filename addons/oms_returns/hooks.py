from odoo.fields import Command

from .models.oms_return import RETURNING_STATES


def uninstall_hook(env):
    """Leave orders and invoices as plain Odoo and `oms_base` understand them."""
    # The stored stage of orders on their way back is computed once more, without open returns.
    env["oms.return"].search([("state", "in", RETURNING_STATES)]).write({"state": "cancelled"})
    # Without this addon such lines would lower what is invoiced, and it would be invoiced again.
    lines = env["account.move.line"].search([("oms_is_money_only", "=", True), ("sale_line_ids", "!=", False)])
    lines.write({"sale_line_ids": [Command.clear()]})
    env.flush_all()
