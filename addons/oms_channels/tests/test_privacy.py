from datetime import timedelta

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.oms_channels.models.machine import oms_channel_privacy

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestPrivacy(ChannelsCommon):
    """What buyers told is forgotten when it is not needed any more, channel by channel."""

    def _finish(self, number=1, days=100, **values):
        """An order that was cancelled long ago."""
        order = self._import(number, [("OMS-MOUSE", 1, 20.0)], **values)
        order._action_cancel()
        self._work("push")
        old = fields.Datetime.now() - timedelta(days=days)
        order.date_order = old
        self.env.flush_all()
        self.env.cr.execute("UPDATE oms_channel_buyer SET create_date = %s, write_date = %s", [old, old])
        self.env.invalidate_all()
        return order

    def _anonymise(self, days=90):
        self.channel.anonymise_days = days
        self._run_cron("oms_channels.ir_cron_anonymise")

    def test_buyer_of_an_old_order_is_forgotten(self):
        order = self._finish()
        buyer = self.env["oms.channel.buyer"].search([("channel_id", "=", self.channel.id)])
        self.assertTrue(order.oms_address_key)
        self._anonymise()
        for contact in order.partner_id | order.partner_shipping_id:
            self.assertIn("Anonymised", contact.name)
            self.assertFalse(contact.phone or contact.email or contact.street)
            self.assertTrue(contact.country_id)
        self.assertFalse(order.channel_snapshot["address"])
        self.assertFalse(order.channel_message_ids)
        self.assertFalse(order.oms_address_key or order.oms_phone_key)
        self.assertTrue(buyer.external_id.startswith("anonymised:"))
        self._pull()
        self.assertEqual(self._order("order_1"), order, "what comes again is recognised")

    def _get_history(self, *documents):
        return self.env["mail.message"].search(
            [
                ("model", "in", [document._name for document in documents]),
                ("res_id", "in", [one_id for document in documents for one_id in document.ids]),
            ]
        )

    def test_history_forgets_as_well(self):
        """Notes, letters and tracked values that tell who the buyer was; what tells of nobody stays."""
        order = self._finish()
        contact = order.partner_shipping_id
        order.message_post(body="Called 张 三, wants it at 文三路 90 号", subject="Buyer")
        order.message_post(body="Packed twice.")
        order.message_post(body="Where is it?", message_type="email", author_id=order.partner_id.id)
        contact.message_post(body=f"Moved: {contact.street}")
        message = contact.message_post(body="changed")
        field = self.env["ir.model.fields"]._get("res.partner", "email")
        self.env["mail.tracking.value"].create(
            {"field_id": field.id, "mail_message_id": message.id, "new_value_char": "zhang@example.com"}
        )
        order._oms_log_event("changed", data={"address": {"now": {"street": contact.street}}, "total": {"now": "1"}})
        hold_type = self.env.ref("oms_base.oms_hold_type_manual")
        order._oms_place_hold(hold_type, f"Ask whether {contact.street} is right", data={"address": {"before": "x"}})
        order.oms_hold_ids.sudo().write({"state": "released"})
        self.env.flush_all()
        name = order.partner_id.name
        self._anonymise()
        history = self._get_history(order, order.partner_id | contact, order.picking_ids)
        told = " ".join(history.mapped("body") + [text for text in history.mapped("subject") if text])
        for word in ("文三路", "Where is it", name):
            self.assertNotIn(word, told)
        self.assertIn("Packed twice.", told)
        self.assertFalse(history.tracking_value_ids.filtered("new_value_char"))
        self.assertNotIn("文三路", " ".join(order.oms_hold_ids.mapped("reason")))
        data = [event.data for event in self.env["oms.event"].search([("order_id", "=", order.id)]) if event.data]
        self.assertIn({"total": {"now": "1"}}, data)
        self.assertNotIn("文三路", str(data) + str(order.oms_hold_ids.mapped("data")))

    def test_history_of_a_buyer_on_an_invoice_stays(self):
        order = self._finish()
        order.partner_id.message_post(body=f"Lives at {order.partner_invoice_id.street}")
        self.env["account.move"].create({"move_type": "out_invoice", "partner_id": order.partner_id.id})
        self._anonymise()
        self.assertIn("文三路", " ".join(self._get_history(order.partner_id).mapped("body")))

    def test_never_by_default_and_not_before_its_time(self):
        order = self._finish()
        self._anonymise(0)
        self._anonymise(200)
        self.assertEqual(order.partner_shipping_id.street, "文三路 90 号")

    def test_buyer_with_another_order_stays(self):
        order = self._finish()
        self._create_order(partner_id=order.partner_id.id, channel_id=False)
        self._anonymise()
        self.assertEqual(order.partner_shipping_id.street, "文三路 90 号")

    def test_buyer_on_an_invoice_stays(self):
        order = self._finish()
        invoice = self.env["account.move"].create(
            {"move_type": "out_invoice", "partner_id": order.partner_invoice_id.id, "invoice_line_ids": []}
        )
        self._anonymise()
        self.assertEqual(invoice.partner_id.street, "文三路 90 号")

    def test_contact_used_elsewhere_stays(self):
        order = self._finish()
        self.env["res.users"].with_context(no_reset_password=True).create(
            {"name": "B", "login": "buyer-with-login", "partner_id": order.partner_id.id}
        )
        name = order.partner_id.name
        self._anonymise()
        self.assertEqual(order.partner_id.name, name)

    def test_open_order_keeps_its_buyer(self):
        order = self._import(1, [("OMS-MOUSE", 1, 20.0)])
        old = fields.Datetime.now() - timedelta(days=100)
        order.date_order = old
        self.env.flush_all()
        self.env.cr.execute("UPDATE oms_channel_buyer SET create_date = %s, write_date = %s", [old, old])
        self._anonymise()
        self.assertEqual(order.partner_shipping_id.street, "文三路 90 号")

    def _make_open_and_finished(self):
        """(buyer of an open order, the one of a finished order that came later)"""
        waiting = self._import(1, [("OMS-MOUSE", 1, 20.0)])
        finished = self._finish(2)
        Buyer = self.env["oms.channel.buyer"]
        buyers = [Buyer.search([("partner_id", "=", order.partner_id.id)]) for order in (waiting, finished)]
        self.assertEqual([len(buyer) for buyer in buyers], [1, 1])
        self.assertNotEqual(*buyers)
        self.env.cr.execute(
            "UPDATE oms_channel_buyer SET write_date = write_date - interval '1 day' WHERE id = %s", [buyers[0].id]
        )
        return buyers

    def test_buyers_that_come_again_and_again_hold_up_no_others(self):
        _waiting, finished = self._make_open_and_finished()
        self.patch(oms_channel_privacy, "RUN_SIZE", 1)
        self._anonymise()
        self.assertFalse(finished.anonymised_date)
        self._anonymise()
        self.assertTrue(finished.anonymised_date)

    def test_buyer_who_cannot_be_anonymised_holds_up_no_others(self):
        orders = [self._finish(number) for number in (1, 2)]
        Buyer = self.env["oms.channel.buyer"]
        bad, good = (Buyer.search([("partner_id", "=", order.partner_id.id)]) for order in orders)
        forget = type(Buyer)._forget_history

        def fail_for_one(buyers, contacts, orders):
            if bad.partner_id in contacts:
                raise ValueError("odd")
            return forget(buyers, contacts, orders)

        self.patch(type(Buyer), "_forget_history", fail_for_one)
        with mute_logger(
            "odoo.addons.oms_channels.tools", "odoo.addons.oms_channels.models.machine.oms_channel_privacy"
        ):
            self._anonymise()
        self.assertTrue(good.anonymised_date)
        self.assertFalse(bad.anonymised_date)

    def test_retention_is_the_channels_own(self):
        order = self._import(1)
        message = order.channel_message_ids
        self.env.cr.execute("UPDATE oms_channel_message SET create_date = create_date - interval '10 days'")
        self.env.invalidate_all()
        self.env["oms.channel.message"]._gc_messages()
        self.assertTrue(message.exists())
        self.channel.message_keep_days = 5
        self.env["oms.channel.message"]._gc_messages()
        self.assertFalse(message.exists())

    # === THE DIFFERENCE OF TWO MESSAGES === #

    def test_message_shows_what_is_other_than_before(self):
        self._import(1)
        self.shop.change("order_1", email="<b>new</b>@example.com")
        self._pull()
        now, before = self._message("order_1")
        self.assertEqual(now.previous_id, before)
        self.assertFalse(before.difference_html)
        html = now.difference_html
        self.assertIn("<code>email</code>", html)
        self.assertIn("buyer1@example.com", html)
        self.assertIn("&lt;b&gt;new", html)
        self.assertNotIn("postal_code", html)

    def test_payload_and_difference_are_for_managers(self):
        fields_seen = self.env["oms.channel.message"].with_user(self.user).fields_get()
        self.assertNotIn("difference_html", fields_seen)
