from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..const import TRACKING_CODES


class OmsParcelEvent(models.Model):
    """What a carrier told of a parcel. Append-only: written by `_insert_events`, each event once.

    An event of a number that is on no parcel yet waits here, visible as unmatched, until a parcel gets the number.
    """

    _name = "oms.parcel.event"
    _description = "Tracking Event"
    _order = "date desc, id desc"
    _rec_name = "code"

    parcel_id = fields.Many2one("oms.parcel", index="btree_not_null", ondelete="cascade", readonly=True)
    carrier_id = fields.Many2one("delivery.carrier", ondelete="cascade", readonly=True)
    company_id = fields.Many2one("res.company", index=True, readonly=True)
    tracking_number = fields.Char(string="Waybill", required=True, readonly=True)
    code = fields.Selection(TRACKING_CODES, string="Event", required=True, readonly=True)
    date = fields.Datetime(string="Time", required=True, readonly=True)
    place = fields.Char(readonly=True)
    text = fields.Char(string="Carrier's Words", readonly=True)
    source = fields.Selection(
        [("webhook", "Sent by the Carrier"), ("poll", "Asked For"), ("manual", "By Hand")], required=True, readonly=True
    )
    digest = fields.Char(required=True, readonly=True)
    is_applied = fields.Boolean(readonly=True, help="The parcel knows of it.")

    # A carrier tells the same thing more than once; the number comes first, as it is what is searched.
    _digest_uniq = models.Constraint("UNIQUE(tracking_number, carrier_id, digest)", "This event is already known.")
    _to_apply_idx = models.Index("(id) WHERE is_applied IS NOT TRUE AND parcel_id IS NOT NULL")

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        if not self.env.is_superuser():
            raise UserError(self.env._("What the carrier told can't be changed. Write a note on the parcel instead."))

    def write(self, vals):
        # Append-only for people; the machine only marks what it has applied or matched.
        if not self.env.is_superuser():
            raise UserError(self.env._("What the carrier told can't be changed. Write a note on the parcel instead."))
        return super().write(vals)

    @api.model
    def _insert_events(self, carrier, events, source):
        """Store tracking events, each once however often it is told.

        :param carrier: the `delivery.carrier` that speaks
        :param events: `routing.tracking.TrackingEvent` objects
        :return: the new events; those that were known are left out
        """
        numbers = sorted({event.tracking_number for event in events})
        # sudo: oms.parcel, oms.parcel.event - carriers and crons have no rights of their own; nobody edits events
        parcels = (
            self.env["oms.parcel"]
            .sudo()
            .search(
                [
                    ("carrier_id", "=", carrier.id),
                    ("tracking_number", "in", numbers),
                    ("waybill_state", "!=", "recycled"),
                ]
            )
        )
        by_number = {parcel.tracking_number: parcel for parcel in parcels}
        rows = [(event, by_number.get(event.tracking_number, parcels.browse())) for event in events]
        return self.sudo().browse(self._query_insert(carrier, rows, source))

    def _query_insert(self, carrier, rows, source):
        """Insert rows, leave those out that are there, also those of another transaction. Returns the new ids."""
        if not rows:
            return []
        values = [
            SQL(
                "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, FALSE, %s, %s, %s, %s)",
                parcel.id or None,
                carrier.id or None,
                parcel.company_id.id or carrier.company_id.id or None,
                event.tracking_number,
                event.code,
                event.time,
                event.place or None,
                event.text or None,
                source,
                event.digest,
                self.env.uid,
                self.env.uid,
                self.env.cr.now(),
                self.env.cr.now(),
            )
            for event, parcel in rows
        ]
        found = self.env.execute_query(
            SQL(
                """INSERT INTO oms_parcel_event (parcel_id, carrier_id, company_id, tracking_number, code, date, place,
                       text, source, digest, is_applied, create_uid, write_uid, create_date, write_date)
                   VALUES %s ON CONFLICT DO NOTHING RETURNING id""",
                SQL(", ").join(values),
            )
        )
        self.env["oms.parcel"].invalidate_model(["event_ids"])
        return [row[0] for row in found]
