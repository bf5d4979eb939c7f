from urllib.parse import quote_plus

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import plaintext2html

SIMILAR_DAYS = 30
ADDRESS_FIELDS = ("name", "street", "street2", "city", "zip", "phone")


class SaleOrder(models.Model):
    """What the review desk asks of an order."""

    _inherit = "sale.order"

    def _get_desk_actions(self):
        """Return the further buttons that the review desk shows for one order. To be extended by other addons.

        :return: list of {"name": method of sale.order that returns an action, "label", "icon", "hotkey"}
        """
        self.ensure_one()
        return []

    def _get_similar_orders(self, limit=5):
        """Return recent orders that look like one order, with why, as a list of (order, sentence)."""
        self.ensure_one()
        labels = {
            "oms_buyer_key": self.env._("same buyer"),
            "oms_phone_key": self.env._("same phone"),
            "oms_address_key": self.env._("same address"),
            "oms_buyer_ip": self.env._("same IP address"),
        }
        same = {label: Domain(name, "=", self[name]) for name, label in labels.items() if self[name]}
        if not same:
            return []
        since = fields.Datetime.subtract(fields.Datetime.now(), days=SIMILAR_DAYS)
        recent = Domain("id", "!=", self.id) & Domain("date_order", ">=", since)
        recent &= Domain("company_id", "=", self.company_id.id) & Domain("channel_id", "!=", False)
        orders = self.search(recent & Domain.OR(same.values()), order="date_order desc, id desc", limit=limit)
        orders.fetch(["name", "date_order", "amount_total", "oms_stage", "partner_id", "partner_shipping_id"])
        reasons = {label: orders.filtered_domain(domain) for label, domain in same.items()}
        return [(order, ", ".join(label for label, found in reasons.items() if order in found)) for order in orders]

    def _get_buyer_history(self, limit=5):
        """Return what the company knows of the buyer of one order: counts, total and the last orders."""
        self.ensure_one()
        domain = Domain("partner_id", "child_of", self.partner_id.commercial_partner_id.ids)
        domain &= Domain("company_id", "=", self.company_id.id) & Domain("id", "!=", self.id)
        currency = self.company_id.currency_id
        count = cancelled = total = 0
        for state, order_currency, orders, amount in self._read_group(
            domain, ["state", "currency_id"], ["__count", "amount_total:sum"]
        ):
            count += orders
            cancelled += orders if state == "cancel" else 0
            if state == "sale":
                total += order_currency._convert(amount, currency, self.company_id, fields.Date.context_today(self))
        # sudo: stock.picking - a reviewer learns how many orders came back, not the transfers
        returned = self.sudo().search_count(domain & Domain("picking_ids.return_id", "!=", False))
        return {
            "count": count,
            "cancelled": cancelled,
            "returned": returned,
            "total": total,
            "currency": currency,
            "last": self.search(domain, order="date_order desc, id desc", limit=limit),
        }

    def _get_map_url(self):
        """Return the link to the delivery address of one order in OpenStreetMap."""
        partner = self.partner_shipping_id
        parts = (partner.street, partner.city, partner.state_id.name, partner.zip, partner.country_id.name)
        query = ", ".join(part for part in parts if part)
        return f"https://www.openstreetmap.org/search?query={quote_plus(query)}" if query else ""

    def _oms_correct_address(self, values):
        """Send one order to a corrected address, and have it judged again.

        :param values: dict of the parts of the address (`ADDRESS_FIELDS` and ``state_id``); others are ignored
        :return: (whether nothing is wrong with it any more, sentence)
        """
        self.ensure_one()
        if self.state == "cancel":
            raise UserError(self.env._("%(order)s is cancelled: its address does not matter.", order=self.name))
        vals = {key: values[key] or False for key in (*ADDRESS_FIELDS, "state_id") if key in values}
        contact = self.partner_shipping_id
        if self._is_address_shared():
            # Others send to this contact too, or it is the buyer: what is right for this order may be wrong for those.
            kept = {name: contact[name] for name in ADDRESS_FIELDS}
            kept |= {"state_id": contact.state_id.id, "country_id": contact.country_id.id}
            links = {"type": "delivery", "parent_id": self.partner_id.id, "company_id": contact.company_id.id}
            self._oms_send_to(self.env["res.partner"].create({**kept, **vals, **links}))
        else:
            contact.write(vals)
        self._oms_judge_changes()  # the reviewer is looking at it: not in the background
        if problem := self.oms_address_problem:
            return False, self.env._("Corrected, but still: %(problem)s", problem=problem)
        return True, self.env._("Corrected")

    def _oms_send_to(self, contact):
        """Send one order to another contact. Its transfers follow, unless the warehouse works on one of them, or other
        orders share them: then Odoo asks a person, or the order leaves the parcel (`_oms_follow_address`)."""
        self.ensure_one()
        self.check_access("write")
        # sudo: stock.picking - transfers follow the order that the user may change
        order_sudo = self.sudo()
        others = order_sudo._oms_get_pickings().move_ids.sale_line_id.order_id - order_sudo
        is_followed = bool(order_sudo._oms_filter_unreleased()) and not others
        order_sudo.with_context(update_delivery_shipping_partner=is_followed).partner_shipping_id = contact

    def _oms_correct_terms(self, warehouse=None, **values):
        """Change when and from where one order is sent, and have it judged again.

        :param warehouse: the one it ships from and from no other
        :param values: fields of the order
        :raise UserError: when the warehouse works on it already
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: stock.picking - whether the warehouse works on it; transfers follow the order that the user may change
        order_sudo = self.sudo()
        if not order_sudo._oms_filter_unreleased():
            raise UserError(
                self.env._(
                    "%(order)s is with the warehouse already, or cancelled: how it is sent can't be changed here.",
                    order=self.name,
                )
            )
        self.write(values)
        if warehouse:
            order_sudo._oms_ship_from(warehouse)
        self._oms_judge_changes()  # as above

    def _oms_ask_buyer(self, question):
        """Send a question to the buyer of one order by mail; it is kept in the order, and the answer comes there.

        :raise UserError: when the buyer has no address to ask at
        """
        self.ensure_one()
        self.check_access("write")
        self.message_post(
            body=plaintext2html(question),
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            **self._prepare_question_values(),
        )
        self.oms_hold_ids._touch()

    def _prepare_question_values(self):
        """Return the subject, in the buyer's language, and the receiver of a question about one order.

        :raise UserError: when the buyer has no address to ask at
        """
        self.ensure_one()
        buyer = self.partner_id
        if not buyer.email:
            raise UserError(
                self.env._("%(buyer)s has no e-mail address: ask in the shop, or by phone.", buyer=buyer.name)
            )
        env = self.with_context(lang=buyer.lang or self.env.lang).env
        reference = self.channel_order_ref or self.name
        return {
            "subject": env._("A question about your order %(order)s", order=reference),
            "partner_ids": buyer.ids,
        }

    def _is_address_shared(self):
        contact = self.partner_shipping_id
        if contact.type != "delivery" or contact in (self.partner_id, self.partner_invoice_id):
            return True
        # sudo: sale.order - orders that the person may not see use the contact all the same
        domain = [("partner_shipping_id", "=", contact.id), ("id", "!=", self.id)]
        return bool(self.sudo().search_count(domain, limit=1))
