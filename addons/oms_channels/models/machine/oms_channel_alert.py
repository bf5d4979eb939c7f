from odoo import api, fields, models


class OmsChannelAlert(models.Model):
    """Something is not well with a channel, from when it was noticed until it was well again: one open for each kind.

    The channel's responsible gets an activity with it. It closes by itself; one that a person marks as done before is
    not put again until it was well in between.
    """

    _name = "oms.channel.alert"
    _description = "Channel Alert"
    _order = "id desc"
    _rec_name = "message"

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    kind = fields.Selection(
        [
            ("oldest", "Messages Wait"),
            ("silence", "No Orders"),
            ("unmatched", "Unmatched Products"),
            ("push", "Pushes Fail"),
            ("webhook", "Webhooks Silent"),
            ("key", "Keys End"),
            ("dead", "Messages Failed"),
            ("pull", "Pulling Fails"),
            ("gap", "Orders Missing"),
        ],
        required=True,
        readonly=True,
    )
    level = fields.Selection([("warning", "Needs Attention"), ("error", "Broken")], required=True, readonly=True)
    message = fields.Text(required=True, readonly=True)
    create_date = fields.Datetime(string="Noticed")
    closed_date = fields.Datetime(string="Well Again", readonly=True)
    activity_id = fields.Many2one("mail.activity", readonly=True, ondelete="set null", index="btree_not_null")

    _open_uniq = models.UniqueIndex("(channel_id, kind) WHERE closed_date IS NULL", "This alert is open already.")

    # === BUSINESS METHODS === #

    @api.model
    def _bring_in_line(self, channels, issues):
        """Open, update and close the alerts of channels.

        :param issues: dict {(channel, kind): (level, sentence)} of all that is wrong now
        """
        issues = dict(issues)
        open_alerts = self.search([("channel_id", "in", channels.ids), ("closed_date", "=", False)])
        well = self.browse()
        for alert in open_alerts:
            issue = issues.pop((alert.channel_id, alert.kind), None)
            if not issue:
                well |= alert
            elif (alert.level, alert.message) != issue:
                alert.write({"level": issue[0], "message": issue[1]})
                alert.activity_id.note = issue[1]
        well._close()
        self.create(
            [
                {"channel_id": channel.id, "kind": kind, "level": level, "message": message}
                for (channel, kind), (level, message) in issues.items()
            ]
        )._schedule_activities()

    def _schedule_activities(self):
        """Give the channels' responsibles an activity for each of these alerts."""
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for alert in self:
            channel = alert.channel_id
            alert.activity_id = channel.activity_schedule(
                "mail.mail_activity_data_warning",
                summary=kinds[alert.kind],
                note=alert.message,
                user_id=(channel.user_id or self.env.user).id,
            )

    def _close(self):
        """It is well again: the activities go."""
        if self:
            self.activity_id.unlink()
            self.closed_date = fields.Datetime.now()
