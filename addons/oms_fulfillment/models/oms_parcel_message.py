from odoo import api, fields, models


class OmsParcel(models.Model):
    """What the buyer is told of a parcel: queued with the fact, written and sent by a scheduled action."""

    _inherit = "oms.parcel"

    # A newer fact replaces one that was not told yet: nobody wants "shipped" after "delivered".
    message_todo = fields.Selection(
        [("shipped", "Shipped"), ("delivered", "Delivered")], readonly=True, copy=False, index="btree_not_null"
    )
    message_shipped_date = fields.Datetime(string="Told Shipped", readonly=True, copy=False)
    message_delivered_date = fields.Datetime(string="Told Delivered", readonly=True, copy=False)

    def _queue_buyer_message(self, topic):
        """Have the buyers told, where their channel wants it: at most once for each parcel and topic.

        :param topic: "shipped" or "delivered"
        """
        parcels = self.filtered(
            lambda parcel: (
                parcel.channel_id[f"notify_buyer_{topic}"]
                and not parcel[f"message_{topic}_date"]
                and parcel.message_todo != topic
            )
        )
        parcels.message_todo = topic

    @api.model
    def _cron_tell_buyers(self, limit=50):
        """Write the mails that are due; Odoo's mail queue sends them."""
        domain = [("message_todo", "!=", False)]
        self.env["ir.cron"]._commit_progress(remaining=self.search_count(domain))
        while parcels := self.search(domain, limit=limit, order="id").try_lock_for_update().filtered_domain(domain):
            for topic, group in parcels.grouped("message_todo").items():
                group._tell_buyers(topic)
            if not self.env["ir.cron"]._commit_progress(len(parcels)):
                break

    def _tell_buyers(self, topic):
        """Put one mail a parcel into the mail queue, in the buyer's language."""
        reachable = self.filtered("partner_id.email")
        template = self.env.ref(f"oms_fulfillment.mail_template_parcel_{topic}")
        for parcel in reachable:
            parcel._portal_ensure_token()
        template.send_mail_batch(reachable.ids, force_send=False, email_layout_xmlid="mail.mail_notification_light")
        self.write({"message_todo": False})
        reachable.write({f"message_{topic}_date": fields.Datetime.now()})
        reachable._log_order_event("buyer_informed")
