from odoo import api, fields, models

from ..routing.tariff import Tariff


class OmsCarrierTariff(models.Model):
    _name = "oms.carrier.tariff"
    _description = "Carrier Tariff"
    _order = "carrier_id, sequence, id"
    _check_company_auto = True

    sequence = fields.Integer(default=10)
    carrier_id = fields.Many2one(
        "delivery.carrier",
        required=True,
        index=True,
        ondelete="cascade",
        domain=[("delivery_type", "=", "oms_waybill")],
    )
    company_id = fields.Many2one(related="carrier_id.company_id", store=True, index=True)
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    country_id = fields.Many2one("res.country", help="Leave empty for every country.")
    state_ids = fields.Many2many(
        "res.country.state",
        string="Provinces",
        domain="[('country_id', '=?', country_id)]",
        help="Leave empty for the rest of the country. The line that says most about an address counts.",
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse", index="btree_not_null", help="From this warehouse. Leave empty for every warehouse."
    )
    first_weight = fields.Float(string="First Weight (kg)", default=1.0, digits="Stock Weight", required=True)
    first_price = fields.Float(digits="Product Price", required=True)
    step_weight = fields.Float(string="Continued Weight (kg)", default=1.0, digits="Stock Weight", required=True)
    step_price = fields.Float(
        string="Continued Price", digits="Product Price", help="For every continued weight that is begun."
    )
    max_weight = fields.Float(string="Heaviest Parcel (kg)", digits="Stock Weight", help="0 for no limit.")
    days = fields.Integer(string="Transit Days", help="Decides between carriers of the same price.")

    _weights = models.Constraint(
        "CHECK(first_weight >= 0 AND step_weight > 0 AND max_weight >= 0)",
        "The continued weight is above zero, the other weights of a tariff are not below it.",
    )
    _prices = models.Constraint(
        "CHECK(first_price >= 0 AND step_price >= 0)", "The prices of a tariff are not negative."
    )

    @api.depends("company_id")
    def _compute_currency_id(self):
        """As Odoo takes a carrier's prices: in its company's currency, of a shared carrier in the main company's."""
        shared = self.env["res.company"]._get_main_company().currency_id
        for tariff in self:
            tariff.currency_id = tariff.company_id.currency_id or shared

    @api.depends("carrier_id", "country_id", "state_ids")
    def _compute_display_name(self):
        for tariff in self:
            zone = ", ".join(tariff.state_ids.mapped("name")) or tariff.country_id.name or self.env._("Everywhere")
            tariff.display_name = f"{tariff.carrier_id.name}: {zone}"

    def _prepare_tariffs(self, company=None):
        """Return these lines as the pure `Tariff` objects that `routing.tariff` reckons with.

        :param company: in whose currency the prices are wanted; their own without it
        """
        currency, today = (company or self.env["res.company"]).currency_id, fields.Date.context_today(self)

        def convert(price, own):
            # a price of nothing costs nothing in any currency
            return own._convert(price, currency, company, today, round=False) if price and currency else price

        return [
            Tariff(
                id=line.id,
                carrier_id=line.carrier_id.id,
                first_weight=line.first_weight,
                first_price=convert(line.first_price, line.currency_id),
                step_weight=line.step_weight,
                step_price=convert(line.step_price, line.currency_id),
                country_id=line.country_id.id or 0,
                state_ids=frozenset(line.state_ids.ids),
                warehouse_id=line.warehouse_id.id or 0,
                max_weight=line.max_weight,
                days=line.days,
                volume_divisor=line.carrier_id.oms_volume_divisor,
            )
            for line in self
        ]
