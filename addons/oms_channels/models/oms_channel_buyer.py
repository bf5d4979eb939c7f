import hashlib
import re
import unicodedata
from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.oms_base.models.oms_queue_mixin import QueueTurn

ADDRESS_FIELDS = ("name", "street", "street2", "city", "zip", "phone")
# What a province may end in without being another one.
PROVINCE_SUFFIX = re.compile(
    r"(省|市|壮族自治区|回族自治区|维吾尔自治区|自治区|特别行政区| province| state)$", re.IGNORECASE
)


class OmsChannelBuyer(models.Model):
    """A channel's buyer and the contact it is here: orders of one buyer never make two contacts."""

    _name = "oms.channel.buyer"
    _description = "Channel Buyer"
    _rec_name = "external_id"

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    external_id = fields.Char(string="Buyer in the Shop", required=True)
    partner_id = fields.Many2one("res.partner", required=True, index=True, ondelete="cascade")

    _external_uniq = models.Constraint("UNIQUE(channel_id, external_id)", "This buyer of the shop is already known.")

    # === ADDRESSES === #

    @api.model
    def _normalise(self, values):
        """Return the key of an address: equal for equal addresses, however they are spaced, cased or typed."""
        text = "|".join(
            re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", value or "").casefold()) for value in values
        )
        return text

    @api.model
    def _get_address_key(self, vals):
        """Return the key of a contact's values (ids for country and state)."""
        return self._normalise(
            [*(vals.get(name) or "" for name in ADDRESS_FIELDS), str(vals.get("country_id")), str(vals.get("state_id"))]
        )

    @api.model
    def _get_partner_key(self, partner):
        vals = {name: partner[name] for name in ADDRESS_FIELDS}
        return self._get_address_key({**vals, "country_id": partner.country_id.id, "state_id": partner.state_id.id})

    @api.model
    def _prepare_address_values(self, address, countries):
        """Return the values of a contact. What the shop calls a province and we do not know is kept with the city.

        :param address: ChannelAddress
        :param countries: dict {ISO code: res.country}
        """
        country = countries.get(address.country_code, self.env["res.country"])
        state = self._find_state(country, address.province)
        city = address.city
        if address.province and not state and address.province not in city:
            city = f"{address.province} {city}".strip()
        return {
            "name": address.name or address.company or address.email or self.env._("Unknown recipient"),
            "street": " ".join(part for part in (address.district, address.street) if part),
            "street2": address.street2,
            "city": city,
            "zip": address.zip,
            "phone": address.phone,
            "country_id": country.id,
            "state_id": state.id,
        }

    @api.model
    def _find_state(self, country, province):
        """Return the state of a country by code or name, with or without the word for province."""
        if not province:
            return country.state_ids[:0]
        wanted = province.strip().casefold()
        bare = PROVINCE_SUFFIX.sub("", wanted)
        for state in country.state_ids:
            if wanted in (state.code.casefold(), state.name.casefold()):
                return state
            if PROVINCE_SUFFIX.sub("", state.name.casefold()) == bare:
                return state
        return country.state_ids[:0]

    # === BUYERS === #

    @api.model
    def _get_buyer_key(self, order):
        """Return who the buyer of a ChannelOrder is: the shop's id, else the email, else the address."""
        if order.buyer_id:
            return order.buyer_id
        if order.email:
            return self._get_email_key(order)
        address = order.shipping_address or order.billing_address
        parts = [
            order.buyer_name,
            *(getattr(address, name, "") for name in (*ADDRESS_FIELDS, "province", "country_code")),
        ]
        return "address:" + hashlib.sha256(self._normalise(parts).encode()).hexdigest()[:32]

    @api.model
    def _get_email_key(self, order):
        """Return the e-mail address of a ChannelOrder's buyer as it is compared."""
        return order.email.strip().casefold()

    @api.model
    def _find_or_create_contacts(self, channel, orders):
        """Return the contacts of these orders' buyers, made where they are new. Contacts that exist are never changed.

        :param channel: oms.channel
        :param orders: list of ChannelOrder
        :return: list of dicts ``partner_id``, ``partner_invoice_id``, ``partner_shipping_id``, one an order
        """
        codes = {address.country_code for order in orders for address in self._get_addresses(order).values()}
        countries = {
            country.code: country
            for country in self.env["res.country"].search([("code", "in", list(filter(None, codes)))])
        }
        keys = [self._get_buyer_key(order) for order in orders]
        partners = self._find_partners(channel, keys, orders)
        self._create_partners(channel, dict(zip(keys, orders, strict=True)), partners, countries)
        return self._find_or_create_addresses(
            [(partners[key], order) for key, order in zip(keys, orders, strict=True)], countries
        )

    @api.model
    def _get_addresses(self, order):
        """Return {"delivery": ..., "invoice": ...} of the addresses an order has."""
        addresses = {"delivery": order.shipping_address, "invoice": order.billing_address or order.shipping_address}
        return {kind: address for kind, address in addresses.items() if address}

    @api.model
    def _find_partners(self, channel, keys, orders):
        """Return {buyer key: res.partner} of the buyers known, by the shop's id or by an email the channel has met."""
        buyers = self.search([("channel_id", "=", channel.id), ("external_id", "in", keys)])
        partners = {buyer.external_id: buyer.partner_id for buyer in buyers}
        emails = defaultdict(set)
        for key, order in zip(keys, orders, strict=True):
            if key not in partners and order.email:
                emails[self._get_email_key(order)].add(key)
        if emails:
            # Only contacts the same channel has brought: an email typed in a shop proves nothing about other contacts.
            met = self.search(
                Domain("channel_id", "=", channel.id) & Domain("partner_id.email_normalized", "in", list(emails))
            )
            for buyer in met:
                for key in emails[buyer.partner_id.email_normalized]:
                    partners.setdefault(key, buyer.partner_id)
        return partners

    @api.model
    def _create_partners(self, channel, orders_by_key, partners, countries):
        """Create the contacts of the buyers not known yet, and add them to ``partners``. Keys with one e-mail, such as
        a member's and that of an order the same person placed as a guest, are one contact."""
        new = {key: order for key, order in orders_by_key.items() if key not in partners}
        self._lock_buyers(channel, {*new, *(self._get_email_key(order) for order in new.values() if order.email)})
        first, same = {}, {}
        for key, order in new.items():
            if order.email and (known := first.setdefault(self._get_email_key(order), key)) != key:
                same[key] = known
        for key in same:
            del new[key]
        created = (
            self.env["res.partner"]
            .with_context(tracking_disable=True, no_vat_validation=True)
            .create([self._prepare_partner_values(channel, order, countries) for order in new.values()])
        )
        self.create(
            [
                {"channel_id": channel.id, "external_id": key, "partner_id": partner.id}
                for key, partner in zip(new, created, strict=True)
            ]
        )
        partners.update(zip(new, created, strict=True))
        partners.update((key, partners[known]) for key, known in same.items())

    @api.model
    def _lock_buyers(self, channel, keys):
        """Keep others from making the same new buyers until this transaction ends.

        :raise QueueTurn: when another worker is at one of them
        """
        names = [f"oms-buyer:{channel.id}:{key}" for key in sorted(keys)]
        [[is_free]] = self.env.execute_query(
            SQL(
                "SELECT COALESCE(bool_and(pg_try_advisory_xact_lock(hashtextextended(name, 0))), true)"
                " FROM unnest(%s::text[]) AS name",
                names,
            )
        )
        if not is_free:
            raise QueueTurn(self.env._("Another worker is at an order of the same buyer."), 2)

    @api.model
    def _prepare_partner_values(self, channel, order, countries):
        address = self._get_addresses(order).get("invoice")
        vals = self._prepare_address_values(address, countries) if address else {}
        name = order.buyer_name or vals.get("name") or order.email or self.env._("Buyer %(ref)s", ref=order.reference)
        return {
            **vals,
            "name": name,
            "email": order.email,
            "customer_rank": 1,
            "company_id": channel.company_id.id,
            "lang": channel.company_id.partner_id.lang,
        }

    @api.model
    def _find_or_create_addresses(self, pairs, countries):
        """Return the contacts of each (partner, ChannelOrder), with child contacts for other addresses."""
        partners = self.env["res.partner"].union(*(partner for partner, _order in pairs))
        known = {
            (partner.id, kind, self._get_partner_key(partner)): partner
            for partner in partners
            for kind in ("delivery", "invoice")
        }
        children = self.env["res.partner"].search(
            [("parent_id", "in", partners.ids), ("type", "in", ("delivery", "invoice"))]
        )
        known |= {(child.parent_id.id, child.type, self._get_partner_key(child)): child for child in children}
        missing, wanted = {}, []
        for partner, order in pairs:
            row = {}
            for kind, address in self._get_addresses(order).items():
                vals = self._prepare_address_values(address, countries)
                key = (partner.id, kind, self._get_address_key(vals))
                row[kind] = key
                if key not in known:
                    missing[key] = {**vals, "type": kind, "parent_id": partner.id, "company_id": partner.company_id.id}
            wanted.append((partner, row))
        created = self.env["res.partner"].with_context(tracking_disable=True).create(list(missing.values()))
        known |= dict(zip(missing, created, strict=True))
        return [
            {
                "partner_id": partner.id,
                "partner_invoice_id": known[row["invoice"]].id if "invoice" in row else partner.id,
                "partner_shipping_id": known[row["delivery"]].id if "delivery" in row else partner.id,
            }
            for partner, row in wanted
        ]
