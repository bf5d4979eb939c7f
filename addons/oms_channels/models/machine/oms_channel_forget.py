from markupsafe import Markup

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import html2plaintext

from .oms_channel_privacy import PERSONAL_FIELDS

# Shorter texts are in half of all sentences. A Chinese name has two characters.
SHORTEST, SHORTEST_CHINESE = 4, 2
# Parts of a change in the shop that say who somebody is.
PERSONAL_KEYS = {"address", "billing", "note"}
# What people wrote to each other; what the system notes is only emptied where it says who somebody is.
LETTERS = ("email", "email_outgoing", "out_of_office")


class OmsChannelBuyer(models.Model):
    """What the history tells of buyers: notes, letters and tracked values of contacts, orders and transfers, holds and
    events. It is found by the buyers' own words, so before these are gone."""

    _inherit = "oms.channel.buyer"

    @api.model
    def _forget_history(self, contacts, orders):
        """Remove what says who these contacts were.

        :param contacts: those that are anonymised
        :param orders: theirs
        """
        words = self._get_personal_words(contacts, orders)
        documents = (contacts, orders, orders.picking_ids)
        domain = Domain.OR(
            Domain("model", "=", records._name) & Domain("res_id", "in", records.ids) for records in documents
        )
        # sudo: mail.message, mail.tracking.value - what tells of buyers goes, whoever may read it
        messages_sudo = self.env["mail.message"].sudo().search(domain)
        self._forget_tracking(messages_sudo, words)
        self._forget_messages(messages_sudo.filtered(lambda message: self._is_telling(message, contacts, words)))
        self._forget_holds(orders.sudo(), words)  # sudo: oms.hold - likewise
        telling = [("order_id", "in", orders.ids), ("data", "!=", False)]
        # sudo: oms.event - likewise
        for event_sudo in self.env["oms.event"].sudo().search(telling):
            self._forget_address(event_sudo)

    @api.model
    def _get_personal_words(self, contacts, orders):
        """Return the texts that say who these are: of the contacts, and of the shop's last state of the orders."""
        names = ("name", *PERSONAL_FIELDS)
        texts = {contact[name] for contact in contacts for name in names if contact[name]}
        for order in orders:
            for part in ("address", "billing"):
                address = (order.channel_snapshot or {}).get(part) or {}
                texts |= {text for name, text in address.items() if isinstance(text, str) and name != "country_code"}
        plain = {(html2plaintext(text) if "<" in text else text).strip() for text in texts}
        return {text for text in plain if len(text) >= (SHORTEST if text.isascii() else SHORTEST_CHINESE)}

    @api.model
    def _has_word(self, words, *texts):
        found = " ".join(text for text in texts if text)
        return any(word in found for word in words)

    @api.model
    def _is_telling(self, message, contacts, words):
        if message.message_type in LETTERS or message.author_id in contacts:
            return True
        body = html2plaintext(message.body or "", include_references=False)
        return self._has_word(words, message.subject, message.email_from, body)

    @api.model
    def _forget_tracking(self, messages_sudo, words):
        """Of a contact all values go, of an order or transfer those that name somebody."""
        messages_sudo.tracking_value_ids.filtered(
            lambda value: (
                value.mail_message_id.model == "res.partner"
                or self._has_word(
                    words, value.old_value_char, value.new_value_char, value.old_value_text, value.new_value_text
                )
            )
        ).unlink()

    @api.model
    def _forget_messages(self, messages_sudo):
        messages_sudo.filtered(lambda message: message.message_type in LETTERS).attachment_ids.unlink()
        addresses = dict.fromkeys(
            ("subject", "email_from", "reply_to", "incoming_email_to", "incoming_email_cc", "outgoing_email_to"), False
        )
        notice = self.env._("Removed with the data of the buyer.")
        messages_sudo.write({name: value for name, value in addresses.items() if name in messages_sudo._fields})
        messages_sudo.write({"body": Markup("<p>%s</p>") % notice})

    @api.model
    def _forget_holds(self, orders_sudo, words):
        for hold_sudo in orders_sudo.oms_hold_ids:
            self._forget_address(hold_sudo)
            if self._has_word(words, *hold_sudo.reason_ids.mapped("name"), hold_sudo.reason, hold_sudo.release_comment):
                hold_sudo.write({"reason": hold_sudo.type_id.name, "release_comment": False})
                hold_sudo.reason_ids.name = hold_sudo.type_id.name

    @api.model
    def _forget_address(self, record_sudo):
        """Take the addresses, and the buyer's note, out of the evidence that a record keeps."""
        data = record_sudo.data
        if isinstance(data, dict) and PERSONAL_KEYS & data.keys():
            record_sudo.data = {key: value for key, value in data.items() if key not in PERSONAL_KEYS}
