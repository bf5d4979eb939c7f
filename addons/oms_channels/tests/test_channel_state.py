from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.oms_base.tests.common import RealTransactionsCase

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestChannelState(ChannelsCommon):
    """What is noted of a channel while it works is on a row of its own."""

    def test_notes_leave_the_row_of_the_channel_alone(self):
        place = self._get_place()
        self.channel.write({"pull_error": "Closed", "rest_count": 2})
        self.assertEqual(self._get_place(), place)
        self.assertEqual((self.channel.state_id.pull_error, self.channel.state_id.rest_count), ("Closed", 2))
        self.channel.write({"name": "Another Name", "rest_count": 0})
        self.assertRecordValues(self.channel, [{"name": "Another Name", "rest_count": 0, "pull_error": "Closed"}])
        self.assertNotEqual(self._get_place(), place)

    def _get_place(self):
        """Return where PostgreSQL keeps the channel's row: each update moves it."""
        self.env.flush_all()
        return self.env.execute_query(SQL("SELECT ctid FROM oms_channel WHERE id = %s", self.channel.id))

    def test_each_channel_has_notes_of_its_own(self):
        others = self.env["oms.channel"].create(
            [{"name": name, "code": name, "next_pull_date": fields.Datetime.now()} for name in ("one", "two")]
        )
        others |= others[0].copy({"code": "three"})
        self.assertEqual(len(others.state_id), 3)
        states = others.state_id
        others.unlink()
        self.assertFalse(states.exists())

    def test_channels_that_were_there_before_get_notes(self):
        other = self.env["oms.channel"].create({"name": "Before", "code": "before"})
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE oms_channel ALTER COLUMN state_id DROP NOT NULL")
        self.env.cr.execute("UPDATE oms_channel SET state_id = NULL WHERE id = %s", [other.id])
        self.env.invalidate_all()
        with patch.object(self.registry, "not_null_fields", set()):  # as while the column is being made
            self.env["oms.channel"]._init_states()
        self.assertTrue(other.state_id)
        self.assertNotEqual(other.state_id, self.channel.state_id)

    def test_who_may_not_configure_channels_may_not_note_anything(self):
        channel = self.channel.with_user(self.user)
        self.assertFalse(channel.rest_count)
        self.assertFalse(channel.has_access("write"))
        self.assertFalse(channel.state_id.has_access("write"))


@tagged("post_install", "-at_install")
class TestChannelStateConcurrency(RealTransactionsCase):
    def test_a_note_sends_nobody_back_who_works_for_the_channel(self):
        with self._cursor() as env:
            channel_id = env["oms.channel"].create({"name": "State", "code": "state_test"}).id
        try:
            with self._cursor() as worker:
                channel = worker["oms.channel"].browse(channel_id)
                channel.mapped("name")  # its view of the database is from now
                with self._cursor() as puller:
                    now = fields.Datetime.now()
                    puller["oms.channel"].browse(channel_id).write(
                        {"last_pull_date": now, "rest_until": now + timedelta(minutes=1)}
                    )
                message = worker["oms.channel.message"].create(
                    {"channel_id": channel_id, "source": "poll", "external_id": "1", "version": "1", "digest": "1"}
                )
                worker.flush_all()
                self.assertTrue(message.id)
        finally:
            with self._cursor() as env:
                channel = env["oms.channel"].browse(channel_id)
                env["oms.channel.message"].search([("channel_id", "=", channel_id)]).unlink()
                channel.unlink()
