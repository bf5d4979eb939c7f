from odoo.http import HttpDispatcher


class RawDispatcher(HttpDispatcher):
    """Serves webhooks: query and body are the controller's to read.

    The ordinary dispatcher makes arguments of them, so that a query may clash with the method's own, and a body that
    calls itself a form is gone before its signature can be checked.
    """

    routing_type = "oms_raw"

    def dispatch(self, endpoint, args):
        self.request.params = dict(args)
        return self.request.registry["ir.http"]._dispatch(endpoint)
