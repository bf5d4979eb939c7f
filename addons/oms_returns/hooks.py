from .models.oms_return import RETURNING_STATES


def uninstall_hook(env):
    """Leave orders and invoices as plain Odoo and `oms_base` understand them."""
    # The stored stage of orders on their way back is computed once more, without open returns.
    env["oms.return"].search([("state", "in", RETURNING_STATES)]).write({"state": "cancelled"})
    env.flush_all()
