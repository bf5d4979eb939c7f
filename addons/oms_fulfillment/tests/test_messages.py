from odoo.tests import tagged

from odoo.addons.mail.tests.common import MailCommon

from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestBuyerMessages(FulfillmentCommon, MailCommon):
    def setUp(self):
        super().setUp()
        self.buyer.email = "zhangsan@example.com"

    def _get_mails(self):
        return self.env["mail.mail"].sudo().search([("recipient_ids", "in", self.buyer.ids)])

    def _tell(self):
        self._run_cron("oms_fulfillment.ir_cron_tell_buyers")

    def test_a_buyer_is_told_once_of_each(self):
        parcel = self._ship(self._create_delivery())
        self.assertFalse(self._get_mails(), "nothing is written in the packer's transaction")
        self._tell()
        self._tell()
        mail = self._get_mails()
        self.assertEqual(len(mail), 1)
        self.assertIn(
            f"/my/parcel/{parcel.id}?access_token={parcel.access_token}", mail.body_html.replace("&amp;", "&")
        )
        self.assertEqual(mail.state, "outgoing", "the mail queue sends it")
        parcel.action_deliver()
        self._tell()
        self.assertEqual(len(self._get_mails()), 2)
        self.assertEqual(parcel.sale_id.oms_event_ids.mapped("code").count("buyer_informed"), 2)

    def test_nobody_hears_of_the_handover_after_the_delivery(self):
        parcel = self._ship(self._create_delivery())
        parcel.action_deliver()
        self._tell()
        self.assertEqual(len(self._get_mails()), 1)
        self.assertIn("arrived", self._get_mails().subject)

    def test_a_delivery_taken_back_and_made_again_is_told_once(self):
        parcel = self._ship(self._create_delivery())
        parcel.action_deliver()
        self._tell()
        parcel.state = "exception"
        parcel.action_deliver()
        self._tell()
        self.assertEqual(len(self._get_mails()), 1)

    def test_a_channel_may_keep_silent(self):
        self.channel.notify_buyer_shipped = False
        self._ship(self._create_delivery())
        self._tell()
        self.assertFalse(self._get_mails())

    def test_a_buyer_without_address_stops_nobody(self):
        self.buyer.email = False
        parcel = self._ship(self._create_delivery())
        self._tell()
        self.assertFalse(parcel.message_todo)
        self.assertFalse(parcel.message_shipped_date)

    def test_the_buyer_reads_their_own_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        template = self.env.ref("oms_fulfillment.mail_template_parcel_shipped")
        template.with_context(lang="zh_CN").subject = "您的订单已发货"
        self.buyer.lang = "zh_CN"
        self._ship(self._create_delivery())
        self._tell()
        self.assertEqual(self._get_mails().subject, "您的订单已发货")
