from odoo import api, fields, models
from odoo.tools import ormcache


class OmsGift(models.Model):
    _inherit = "oms.gift"

    counts_parcel = fields.Boolean(
        string="Counts the Whole Parcel",
        tracking=True,
        help="What all orders of one parcel come to together counts, and the first of them gets the gift.",
    )

    def _get_terms_fields(self):
        return [*super()._get_terms_fields(), "counts_parcel"]

    def _get_mode_words(self):
        words = super()._get_mode_words()
        parcel = self.env._("all orders of the parcel together") if self.counts_parcel else ""
        return self.env._(", ").join(part for part in (words, parcel) if part)

    @api.model
    @ormcache()
    def _counts_any_parcel(self):
        """Return whether some gift counts what travels together."""
        # sudo: oms.gift - what an order gets does not depend on who works on it
        return bool(self.sudo().search_count([("counts_parcel", "=", True)], limit=1))


class SaleOrder(models.Model):
    """Gifts of what travels together: judged again when orders are merged, split or taken apart."""

    _inherit = "sale.order"

    def _oms_get_parcel_orders(self):
        """Return the orders that travel with one order, itself included, the first one first."""
        self.ensure_one()
        if not self.oms_is_grouped:
            return self
        return (self | self.oms_group_line_ids.group_id.order_ids).sorted("id")

    def _oms_measure_for_gift(self, gift):
        """Override: the first order of a parcel has what all of them come to, the others have nothing."""
        if not gift.counts_parcel:
            return super()._oms_measure_for_gift(gift)
        parcels = {
            order: order._oms_get_parcel_orders().filtered(lambda other: other._oms_may_get_gift(gift))
            for order in self
        }
        alone = super(SaleOrder, self.browse().union(*parcels.values()))._oms_measure_for_gift(gift)
        measures = {}
        for order, others in parcels.items():
            measure = sum(alone.get(other, 0.0) for other in others)
            if measure > 0 and others[:1] == order:
                measures[order] = measure
        return measures

    def _oms_finish_grouping(self, code, name, groups=None):
        """Override: what travels together is another now."""
        res = super()._oms_finish_grouping(code, name, groups)
        (self | self.oms_group_line_ids.group_id.order_ids)._oms_after_change({"parcel"})
        return res

    def _oms_after_change(self, parts):
        """Override: what changes in one order of a parcel may earn the gift of another."""
        res = super()._oms_after_change(parts)
        if "lines" in parts and (grouped := self.filtered("oms_is_grouped")):
            # sudo: sale.order - they travel with an order that the user may change
            (grouped.sudo().oms_group_line_ids.group_id.order_ids - grouped)._oms_after_change({"parcel"})
        return res

    @api.model
    def _oms_get_part_names(self):
        return super()._oms_get_part_names() | {"parcel": self.env._("What travels together")}

    @api.model
    def _oms_get_asked_parts(self):
        """Override: the parcel counts where a gift asks for it."""
        asked = super()._oms_get_asked_parts()
        return asked | {"parcel"} if self.env["oms.gift"]._counts_any_parcel() else asked
