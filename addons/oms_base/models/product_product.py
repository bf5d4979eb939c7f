from collections import defaultdict

from odoo import models


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _oms_get_sellable_quantities(self, warehouses):
        """Return what may still be promised of these products: on hand in the warehouses and not reserved.

        `oms_allocation` overrides it to take off what is promised but not reserved yet.

        :param warehouses: stock.warehouse records
        :return: dict {(product id, warehouse id): quantity in the product's unit}; what is not there is 0
        """
        # sudo: stock.quant - a reviewer who may not read stock must still learn whether an order can be sent
        groups = (
            self.env["stock.quant"]
            .sudo()
            ._read_group(
                [
                    ("product_id", "in", self.ids),
                    ("location_id.usage", "=", "internal"),
                    ("location_id.warehouse_id", "in", warehouses.ids),
                ],
                ["product_id", "location_id"],
                ["quantity:sum", "reserved_quantity:sum"],
            )
        )
        quantities = defaultdict(float)
        for product, location, quantity, reserved in groups:
            quantities[product.id, location.warehouse_id.id] += quantity - reserved
        return quantities
