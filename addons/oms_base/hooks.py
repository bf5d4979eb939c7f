from odoo.fields import Command


def uninstall_hook(env):
    """Leave invoices as plain Odoo understands them."""
    # Without the suite such lines would lower what is invoiced, and it would be invoiced again.
    lines = env["account.move.line"].search([("oms_is_money_only", "=", True), ("sale_line_ids", "!=", False)])
    lines.write({"sale_line_ids": [Command.clear()]})
    env.flush_all()
