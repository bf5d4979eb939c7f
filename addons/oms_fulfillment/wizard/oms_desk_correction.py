from odoo import fields, models


class OmsDeskCorrection(models.TransientModel):
    _inherit = "oms.desk.correction"

    carrier_id = fields.Many2one("delivery.carrier", help="For all of these orders. Empty: each keeps its own.")

    def _correct(self, order):
        """Override of the review desk: the transfers that an order has go with its carrier."""
        answer = super()._correct(order)
        if self.carrier_id:
            # sudo: stock.picking - transfers follow the order, which the user may write
            order.sudo()._oms_follow_carrier()
        return answer

    def _prepare_terms(self):
        terms = super()._prepare_terms()
        return terms | {"carrier_id": self.carrier_id.id} if self.carrier_id else terms
