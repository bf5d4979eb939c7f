from datetime import UTC

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain

# Begins the ids of shipping charges.
SHIPPING_KEY = "shipping:"


class SaleOrder(models.Model):
    """From ChannelOrder to sale.order."""

    _inherit = "sale.order"

    @api.model
    def _oms_create_from_channel(self, channel, channel_orders):
        """Create the orders that these ChannelOrders are, with their contacts, lines, charges, discounts, taxes and
        payments. Totals are the shop's to the cent, or the review holds the order.

        :param channel: oms.channel
        :param channel_orders: list of ChannelOrder, none of which is here yet
        :return: sale.order records, in the order of the list
        :raise UserError: naming what is missing: a product, tax or currency
        """
        if not channel_orders:
            return self.browse()
        # Made by a machine: the story is in the events, not in field tracking and followers.
        Order = self.with_company(channel.company_id).with_context(
            tracking_disable=True, mail_create_nolog=True, mail_create_nosubscribe=True, mail_notrack=True
        )
        contacts = self.env["oms.channel.buyer"]._find_or_create_contacts(channel, channel_orders)
        setup = Order._prepare_channel_setup(channel, channel_orders)
        orders = Order.create(
            [
                Order._prepare_channel_order_values(channel, channel_order, contact, setup)
                for channel_order, contact in zip(channel_orders, contacts, strict=True)
            ]
        )
        orders._add_rounding_lines()
        self.env["oms.channel.payment"]._sync(list(zip(orders, channel_orders, strict=True)))
        for order, channel_order in zip(orders, channel_orders, strict=True):
            # Rare: a buyer who asks for the money back, or a shop that sends, before the order is here.
            if channel_order.refund_requests:
                order._apply_refund_requests(channel_order, {})
            if channel_order.sent_units:
                order._apply_foreign_shipment(channel_order, {})
        return orders.with_env(self.env)

    @api.model
    def _prepare_channel_setup(self, channel, channel_orders):
        """Read once what all orders of the batch need.

        :return: dict ``listings``, ``taxes``, ``pricelists``, ``warehouse``
        :raise UserError: naming what is missing
        """
        listings = channel._match_lines(channel_orders)
        unmatched = [
            line.sku or line.title
            for order in channel_orders
            for line in order.lines
            if line.open_quantity and not listings[order.external_id, line.external_id].product_id
        ]
        if unmatched:
            raise UserError(
                self.env._(
                    "Unmatched SKU: %(skus)s. Match it under OMS > Channels > Products > Listings, then retry.",
                    skus=", ".join(unmatched),
                )
            )
        parts = [(part, order.currency) for order in channel_orders for part in (*order.lines, *order.shippings)]
        return {
            "listings": listings,
            "taxes": channel._get_part_taxes(parts) if channel.tax_source == "shop" else {},
            "pricelists": self._get_channel_pricelists(channel, {order.currency for order in channel_orders}),
            "warehouse": channel._get_warehouses()[:1],
        }

    @api.model
    def _get_channel_pricelists(self, channel, currency_names):
        """Return {currency name: pricelist}: Odoo takes an order's currency from its price list; none is needed for the
        company's own. A missing price list is made, as its only use is to name the currency.

        :raise UserError: naming a currency that is unknown or not active
        """
        chosen = channel.pricelist_id
        pricelists = {chosen.currency_id.name: chosen} if chosen else {}
        wanted = currency_names - {channel.company_id.currency_id.name, *pricelists}
        currencies = {
            currency.name: currency for currency in self.env["res.currency"].search([("name", "in", list(wanted))])
        }
        for name in wanted:
            if name not in currencies:
                raise UserError(
                    self.env._(
                        "The currency %(currency)s is not active. Activate it, then retry.", currency=name or "?"
                    )
                )
            pricelists[name] = self.env["product.pricelist"].search(
                Domain("currency_id", "=", currencies[name].id)
                & Domain("company_id", "in", (False, channel.company_id.id)),
                limit=1,
            ) or self.env["product.pricelist"].create(
                {"name": name, "currency_id": currencies[name].id, "company_id": channel.company_id.id}
            )
        return pricelists

    @api.model
    def _prepare_channel_order_values(self, channel, channel_order, contact, setup):
        """Return the values of one new order. Can be extended with what a platform tells beyond the common.

        :param contact: see `oms.channel.buyer._find_or_create_contacts`
        :param setup: see `_prepare_channel_setup`
        """
        pricelist = setup["pricelists"].get(channel_order.currency)
        return {
            **contact,
            "channel_id": channel.id,
            "company_id": channel.company_id.id,
            "channel_order_id": channel_order.external_id,
            "channel_order_ref": channel_order.reference,
            "client_order_ref": channel_order.reference,
            "channel_status": channel_order.status,
            "channel_version": channel_order.version,
            "channel_digest": self.env["oms.channel.message"]._get_digest(channel_order.raw),
            "channel_snapshot": self._prepare_channel_snapshot(channel_order),
            "channel_amount_total": float(channel_order.expected_total),
            "channel_note": channel_order.note,
            **self._prepare_channel_fact_values(channel_order),
            "date_order": channel_order.placed_at.astimezone(UTC).replace(tzinfo=None, microsecond=0),
            "pricelist_id": pricelist.id if pricelist else False,
            "payment_term_id": False,
            "user_id": channel.user_id.id,
            "team_id": channel.team_id.id or False,
            "warehouse_id": setup["warehouse"].id,
            "order_line": [
                Command.create(vals) for vals in self._prepare_channel_line_values(channel, channel_order, setup)
            ],
        }

    @api.model
    def _prepare_channel_fact_values(self, channel_order):
        """Return the values of what rules may ask: what the shop tells and may tell otherwise later."""
        risk = channel_order.risk_score
        ship_by = channel_order.ship_by
        return {
            "oms_buyer_ip": channel_order.buyer_ip or False,
            "oms_coupon_codes": ",".join(channel_order.coupon_codes) or False,
            "oms_channel_risk": min(max(float(risk), 0.0), 100.0) if risk is not None else 0.0,
            "oms_amount_paid": float(channel_order.captured_total),
            "oms_waits_for": self._get_channel_wait(channel_order),
            "oms_is_presale": channel_order.is_presale,
            "oms_presale_ship_date": channel_order.ship_from or False,
            "commitment_date": ship_by.astimezone(UTC).replace(tzinfo=None, microsecond=0) if ship_by else False,
            "channel_seller_note": channel_order.seller_note or False,
            "channel_is_masked": channel_order.is_masked,
        }

    @api.model
    def _get_channel_wait(self, channel_order):
        """Return the value of `oms_waits_for`. Can be extended with what a platform tells."""
        return "payment" if channel_order.awaits_payment else "shop" if channel_order.is_held else False

    @api.model
    def _prepare_channel_line_values(self, channel, channel_order, setup):
        """Return the values of an order's lines: goods, then shipping charges."""
        vals_list, pricelist = [], setup["pricelists"].get(channel_order.currency)
        currency = (pricelist or channel.company_id).currency_id
        for sequence, line in enumerate(channel_order.lines, 10):
            if not line.open_quantity:
                continue
            product = setup["listings"][channel_order.external_id, line.external_id].product_id
            vals_list.append(
                {
                    "sequence": sequence,
                    "product_id": product.id,
                    "name": line.title or product.display_name,
                    "product_uom_qty": float(line.open_quantity),
                    "product_uom_id": product.uom_id.id,
                    "channel_line_id": line.external_id,
                    "oms_ship_from": line.ship_from or False,
                    "channel_total": float(line.total * line.open_quantity / line.quantity),
                    **channel._prepare_price_values(line, line.quantity, line.price_unit, setup["taxes"]),
                    **self._prepare_discount_values(line, line.quantity, line.open_quantity, currency),
                }
            )
        for shipping in channel_order.shippings:
            vals_list.append(
                {
                    **self._prepare_shipping_line_values(channel, shipping, setup),
                    **self._prepare_discount_values(shipping, 1, 1, currency),
                }
            )
        return vals_list

    @api.model
    def _prepare_shipping_line_values(self, channel, shipping, setup):
        product = channel.shipping_product_id
        if not product:
            raise UserError(
                self.env._(
                    "%(channel)s has no product for shipping charges. Choose one in its settings, then retry.",
                    channel=channel.name,
                )
            )
        return {
            "sequence": 900,
            "product_id": product.id,
            "name": shipping.name or product.display_name,
            "product_uom_qty": 1,
            "product_uom_id": product.uom_id.id,
            "is_delivery": True,
            "channel_line_id": f"{SHIPPING_KEY}{shipping.external_id}",
            "channel_total": float(shipping.total),
            **channel._prepare_price_values(shipping, 1, shipping.amount, setup["taxes"]),
        }

    def _add_rounding_lines(self):
        """Add a line for the cents by which rounding makes our total differ from the shop's, where the channel
        tolerates it. What differs by more stays as it is: the review holds it."""
        vals_list = []
        for order in self:
            difference, channel = order.channel_amount_difference, order.channel_id
            currency = order.currency_id
            tolerance = channel.total_tolerance * currency.rounding
            if currency.is_zero(difference) or currency.compare_amounts(abs(difference), tolerance) > 0:
                continue
            if channel.rounding_product_id:
                vals_list.append(
                    {
                        "order_id": order.id,
                        "sequence": 999,
                        "product_id": channel.rounding_product_id.id,
                        "product_uom_qty": 1,
                        "price_unit": -difference,
                        "discount": 0.0,
                        "tax_ids": [Command.clear()],
                    }
                )
        self.env["sale.order.line"].with_context(tracking_disable=True).create(vals_list)
