from operator import attrgetter

from odoo import api, fields, models

from ...const import CLOSED_STAGES, IN_MEMORY_LIMIT
from .address import ADDRESS_FIELDS, check_address
from .text import parse_phone

KEY_FIELDS = ("oms_address_key", "oms_phone_key", "oms_buyer_key", "oms_coupon_key")
# What the keys of an order are made of, and what most facts ask for.
READ_FIELDS = (
    *("company_id", "channel_id", "state", "oms_stage", "partner_id", "partner_shipping_id", "oms_coupon_codes"),
    *KEY_FIELDS,
)
CONTACT_FIELDS = ("commercial_partner_id", "name", "phone", *ADDRESS_FIELDS)


class SaleOrder(models.Model):
    """Keys: by what orders are found to be of the same buyer, phone, address or machine."""

    _inherit = "sale.order"

    oms_address_key = fields.Char(string="Address Key", readonly=True, copy=False)
    oms_phone_key = fields.Char(string="Phone Key", readonly=True, copy=False)
    oms_buyer_key = fields.Char(string="Buyer Key", readonly=True, copy=False)
    oms_coupon_key = fields.Char(string="Coupon Key", readonly=True, copy=False)
    oms_buyer_ip = fields.Char(
        string="Buyer's IP Address", copy=False, help="The machine the order was placed from, as the channel says."
    )

    _oms_address_key_idx = models.Index("(oms_address_key, date_order, id) WHERE oms_address_key IS NOT NULL")
    _oms_phone_key_idx = models.Index("(oms_phone_key, date_order, id) WHERE oms_phone_key IS NOT NULL")
    _oms_buyer_key_idx = models.Index("(oms_buyer_key, date_order, id) WHERE oms_buyer_key IS NOT NULL")
    _oms_buyer_ip_idx = models.Index("(oms_buyer_ip, date_order, id) WHERE oms_buyer_ip IS NOT NULL")
    _oms_coupon_key_idx = models.Index(
        "USING gin (string_to_array(oms_coupon_key, ',')) WHERE oms_coupon_key IS NOT NULL"
    )

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        orders._oms_refresh_keys()
        return orders

    def _oms_refresh_keys(self):
        """Bring the keys of these orders in line with their contacts. Called before orders are judged.

        Orders without a channel have none. A closed order that has its keys keeps them: a buyer who moves does not take
        the past along. Not by `write`: a key is no change that anybody has to hear of.

        :return: the orders whose keys changed
        """
        if len(self) > IN_MEMORY_LIMIT:
            # Of many orders only what is needed: all columns of orders and contacts cost more than judging them.
            self.fetch(READ_FIELDS)
            (self.partner_id | self.partner_shipping_id).fetch(CONTACT_FIELDS)
        changed_ids, get_keys = [], attrgetter(*KEY_FIELDS)
        for order in self:
            if order.channel_id and (not order.oms_buyer_key or order.oms_stage not in CLOSED_STAGES):
                keys = order._prepare_keys()
                if get_keys(order) != tuple(keys.values()):
                    for name, key in keys.items():
                        self._fields[name].write(order, key)
                    changed_ids.append(order.id)
        changed = self.browse(changed_ids)
        changed.modified(KEY_FIELDS)
        return changed

    def _prepare_keys(self):
        """Return the keys of one order, in the order of ``KEY_FIELDS``; False for what it does not say.

        The address is country, state, city, street and zip without the receiver: a household is one address. Without a
        city and a street there is no address to recognise.
        """
        self.ensure_one()
        buyer, address = self.partner_id, self.partner_shipping_id._oms_get_address()
        return {
            "oms_address_key": check_address(address).key or False,
            "oms_phone_key": parse_phone(address.phone or buyer.phone, address.country_code)[0] or False,
            "oms_buyer_key": str(buyer.commercial_partner_id.id or "") or False,
            "oms_coupon_key": ",".join(self._get_coupon_codes()) or False,
        }
