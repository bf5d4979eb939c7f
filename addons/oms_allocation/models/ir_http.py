from functools import partial

from odoo import models
from odoo.http import request

from odoo.addons.oms_base.tools import work_in_turn


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _dispatch(cls, endpoint):
        """Override of `base`: a call that came too late for goods is answered when those before it are through. Odoo
        would let it pause for a random time and try again, five times, and then give up."""
        dispatch = partial(super()._dispatch, endpoint)
        if request.dispatcher.routing_type != "jsonrpc":
            return dispatch()
        return work_in_turn(request.env, dispatch, cls._oms_may_repeat)

    @classmethod
    def _oms_may_repeat(cls):
        """Whether the call can be done again: it changed nothing outside of the database. Its parameters are read anew,
        as those that were worked with may be others by now."""
        if request.session.is_dirty or request.httprequest.files:
            return False
        request.params = {**request.params, **request.get_json_data().get("params", {})}
        return True
