from odoo import api, models
from odoo.exceptions import UserError

from .sale_order_split import KINDS


class OmsReviewDesk(models.AbstractModel):
    """Many cases split at once."""

    _inherit = "oms.review.desk"

    @api.model
    def open_split(self, hold_ids):
        """Return the action that asks by what the orders of these cases are split."""
        return self._open_wizard(self.env["oms.desk.split"].create({"hold_ids": hold_ids}))

    @api.model
    def split(self, hold_ids, kind, limit=0.0):
        """Split the orders of these cases. :return: as `release`

        :param kind: one of `KINDS`
        :param limit: what a parcel may weigh or be worth at most, where it is split by that
        """
        if kind not in KINDS:
            raise UserError(self.env._("Say by what the orders are split."))

        def split(order):
            parts, values_list = getattr(order, f"_oms_get_{kind}_parts")(limit=limit)
            if len(parts) < 2:
                raise UserError(
                    self.env._("%(order)s: there is nothing to split, all of it belongs together.", order=order.name)
                )
            groups = order._oms_split(parts, values_list)
            return True, self.env._("Split into %(groups)s", groups=", ".join(groups.mapped("name")))

        return self._answer_each_order(hold_ids, split, "")
