import hashlib
import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import split_every

from odoo.addons.oms_base.const import CLOSED_STAGES

from ...tools import try_apart

_logger = logging.getLogger(__name__)

# Buyers of a channel that are found at once, and those looked at in one transaction.
RUN_SIZE, STEP_SIZE = 20000, 100
# Who could not be anonymised is looked at again after so long.
LOOK_EVERY = timedelta(hours=12)
# What says who somebody is or where they live. A contact keeps its country and state: figures are made of them.
PERSONAL_FIELDS = ("email", "phone", "street", "street2", "city", "zip", "vat", "comment", "website", "function")
# Documents of the order itself, which is finished, and what Odoo keeps by itself of each contact.
OWN_MODELS = (
    "sale.order",
    "sale.order.line",
    "sale.report",
    "stock.picking",
    "stock.move",
    "stock.move.line",
    "stock.reference",
    "res.partner",
    "mail.followers",
    "mail.message",
    "mail.notification",
    "discuss.channel.member",
)


class OmsChannel(models.Model):
    """Privacy: how long what buyers told is kept, channel by channel."""

    _inherit = "oms.channel"

    message_keep_days = fields.Integer(
        string="Keep Messages (days)", help="Settled messages are deleted after so many days. 0: as for all channels."
    )
    push_keep_days = fields.Integer(
        string="Keep Pushes (days)", help="Settled pushes are deleted after so many days. 0: as for all channels."
    )
    anonymise_days = fields.Integer(
        string="Anonymise Buyers (days)",
        help="So many days after the last order of a buyer, when all are finished, name, address, phone and e-mail of "
        "the channel's contacts are removed. A contact that is on an invoice or used for anything else stays as it is. "
        "0: never.",
    )

    _check_privacy = models.Constraint(
        "CHECK(message_keep_days >= 0 AND push_keep_days >= 0 AND anonymise_days >= 0)",
        "Days of retention can't be negative.",
    )

    @api.model
    def _get_retention_domain(self, field, days):
        """Return the domain of the queue rows that are old by their channel's days, or by ``days``."""
        now = fields.Datetime.now()
        own = self.with_context(active_test=False).search([(field, ">", 0)])
        domain = Domain("channel_id", "not in", own.ids) & Domain("create_date", "<", now - timedelta(days=days))
        for channel_days, channels in own.grouped(field).items():
            domain |= Domain("channel_id", "in", channels.ids) & Domain(
                "create_date", "<", now - timedelta(days=channel_days)
            )
        return domain

    @api.model
    def _cron_anonymise(self):
        """Remove what says who the buyers of old, finished orders were."""
        cron = self.env["ir.cron"]
        for channel in self.with_context(active_test=False).search([("anonymise_days", ">", 0)]):
            buyers = self.env["oms.channel.buyer"]._find_old(channel)
            cron._commit_progress(remaining=len(buyers))
            for ids in split_every(STEP_SIZE, buyers.ids):
                buyers.browse(ids)._anonymise_finished(channel)
                if not cron._commit_progress(len(ids)):
                    return


class OmsChannelBuyer(models.Model):
    _inherit = "oms.channel.buyer"

    anonymised_date = fields.Datetime(string="Anonymised On", readonly=True)

    @api.model
    def _find_old(self, channel):
        """Return the channel's buyers that came long ago, those first that were not looked at for longest."""
        now = fields.Datetime.now()
        return self.search(
            Domain("channel_id", "=", channel.id)
            & Domain("anonymised_date", "=", False)
            & Domain("create_date", "<", now - timedelta(days=channel.anonymise_days))
            & Domain("write_date", "<", now - LOOK_EVERY),
            order="write_date, id",
            limit=RUN_SIZE,
        )

    def _anonymise_finished(self, channel):
        """Anonymise those of these whose orders are all finished and old. What is wrong with one stops no others."""
        finished = self._filter_finished(channel)
        if try_apart(finished, finished._anonymise):
            for buyer in finished:
                if error := try_apart(buyer, buyer._anonymise):
                    _logger.warning("Buyer %s could not be anonymised: %s", buyer.id, error)
        # Who stays for now, because of an order, an invoice or another use, goes to the end of the line.
        self.filtered(lambda buyer: not buyer.anonymised_date).write({"anonymised_date": False})

    def _filter_finished(self, channel):
        """Return those of the channel's buyers whose orders are all finished and old."""
        limit = fields.Datetime.now() - timedelta(days=channel.anonymise_days)
        partners = self.env["res.partner"].search([("id", "child_of", self.partner_id.ids)])
        recent = (
            Domain("partner_id", "in", partners.ids)
            | Domain("partner_shipping_id", "in", partners.ids)
            | Domain("partner_invoice_id", "in", partners.ids)
        ) & (
            Domain("date_order", ">=", limit)
            | Domain("channel_id", "=", False)
            | Domain("channel_id.anonymise_days", "=", 0)
            | (Domain("oms_stage", "not in", CLOSED_STAGES) | Domain("oms_stage", "=", False))
        )
        orders = self.env["sale.order"].search(recent)
        busy = (orders.partner_id | orders.partner_shipping_id | orders.partner_invoice_id).commercial_partner_id
        return self.filtered(lambda buyer: buyer.partner_id.commercial_partner_id not in busy)

    def _anonymise(self):
        """Remove what says who these buyers were from contacts, orders and messages."""
        contacts = (
            self.env["res.partner"].with_context(active_test=False).search([("id", "child_of", self.partner_id.ids)])
        )
        used = self._get_used_contacts(contacts)
        orders = self.env["sale.order"].search(
            [("channel_id", "in", self.channel_id.ids), ("partner_id", "in", contacts.ids)]
        )
        self._forget_history(contacts - used, orders)
        # Who is on an invoice is still the customer: the addresses below that are on none go all the same.
        for contact in (contacts - used).with_context(tracking_disable=True, no_vat_validation=True):
            contact.write(
                {"name": self.env._("Anonymised buyer %(id)s", id=contact.id), **dict.fromkeys(PERSONAL_FIELDS, False)}
            )
        orders._oms_anonymise()
        gone = self.filtered(lambda buyer: buyer.partner_id not in used)
        for buyer in gone:
            key = hashlib.sha256(f"{buyer.id}:{buyer.external_id}".encode()).hexdigest()[:32]
            buyer.write({"external_id": f"anonymised:{key}", "anonymised_date": fields.Datetime.now()})

    @api.model
    def _get_used_contacts(self, contacts):
        """Return those of the contacts that are used for anything else than orders: an invoice, a user, a payment, a
        price list, whatever has a field for a contact."""
        used = self.env["res.partner"]
        for model_name, name in self._get_partner_fields():
            Model = self.env[model_name].with_context(active_test=False)
            used |= self.env["res.partner"].union(
                *(partner for [partner] in Model._read_group([(name, "in", contacts.ids)], [name]))
            )
        # A contact in use keeps its company: an invoice address is printed with its name.
        return used | used.parent_id & contacts

    @api.model
    def _get_partner_fields(self):
        """Return [(model, field)] of every stored field for a contact outside the orders' own documents. Can be
        extended for documents that end with their order."""
        return [
            (model_name, name)
            for model_name, Model in self.env.registry.items()
            if Model._auto and not Model._abstract and not Model._transient and model_name not in OWN_MODELS
            if not model_name.startswith("oms.")
            for name, field in Model._fields.items()
            if field.type == "many2one" and field.comodel_name == "res.partner" and field.store and field.column_type
        ]


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _oms_anonymise(self):
        """Remove what the shop told of the buyer: address, notes, IP address, keys; and the messages with it. The
        fingerprint of the last message stays, so that it is recognised when it comes again."""
        for order in self:
            if order.channel_snapshot and {"address", "billing"} & order.channel_snapshot.keys():
                order.channel_snapshot = {**order.channel_snapshot, "address": None, "billing": None}
        self.with_context(tracking_disable=True).write(
            {"oms_buyer_ip": False, "channel_note": False, "channel_seller_note": False}
        )
        for name in ("oms_address_key", "oms_phone_key"):
            self._fields[name].write(self, None)  # as they are kept: a key is no change that anybody has to hear of
        self.channel_message_ids.filtered(lambda message: message.state in ("done", "skipped")).unlink()
