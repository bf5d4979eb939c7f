from typing import NamedTuple

from odoo import models


class FreightTerms(NamedTuple):
    """What a carrier asks for a parcel: a price up to a first weight, then one for each step begun.

    Weights in kilograms, prices in the company's currency, ``volume_divisor`` in cubic centimetres that count as a
    kilogram (0: volume is free), ``days`` on the way.
    """

    carrier_id: int
    first_weight: float
    first_price: float
    step_weight: float
    step_price: float
    volume_divisor: float = 0.0
    days: int = 0


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _oms_get_freights(self, warehouses):
        """Return what the way from each warehouse to the buyer costs; warehouses from where no carrier serves the
        address are left out. Nothing is known here; addons that know carriers extend it.

        :return: dict {(order id, warehouse id): FreightTerms}
        """
        return {}
