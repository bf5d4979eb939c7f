from odoo import api, fields, models
from odoo.tools import SQL

from ...const import CLOSED_STAGES
from .text import parse_phone

KEY_FIELDS = ("oms_address_key", "oms_phone_key", "oms_buyer_key", "oms_coupon_key")


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
        the past along. Written by one statement and only where something changed: nothing else of an order is touched.

        :return: the orders whose keys changed
        """
        rows = {}
        for order in self:
            if order.channel_id and (not order.oms_buyer_key or order.oms_stage not in CLOSED_STAGES):
                keys = order._prepare_keys()
                if any((order[name] or None) != keys[name] for name in KEY_FIELDS):
                    rows[order.id] = keys
        changed = self.browse(rows)
        if changed:
            self._query_update_keys(rows)
            changed.invalidate_recordset(KEY_FIELDS, flush=False)
            changed.modified(KEY_FIELDS)
        return changed

    def _prepare_keys(self):
        """Return the keys of one order, None for what it does not say.

        The address is country, state, city, street and zip without the receiver: a household is one address. Without a
        city and a street there is no address to recognise.
        """
        self.ensure_one()
        contact = self.partner_shipping_id
        return {
            "oms_address_key": contact._oms_get_address_key(),
            "oms_phone_key": parse_phone(contact.phone or self.partner_id.phone, contact.country_id.code)[0],
            "oms_buyer_key": str(self.partner_id.commercial_partner_id.id or "") or None,
            "oms_coupon_key": ",".join(self._get_coupon_codes()) or None,
        }

    def _query_update_keys(self, rows):
        """Write {order id: keys}."""
        columns = [[keys[name] for keys in rows.values()] for name in KEY_FIELDS]
        self.env.execute_query(
            SQL(
                """
                UPDATE sale_order o
                   SET oms_address_key = v.address, oms_phone_key = v.phone,
                       oms_buyer_key = v.buyer, oms_coupon_key = v.coupon
                  FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[])
                       AS v(id, address, phone, buyer, coupon)
                 WHERE o.id = v.id
                """,
                list(rows),
                *columns,
                to_flush=self._get_source_fields("sale.order", *KEY_FIELDS),
            )
        )
