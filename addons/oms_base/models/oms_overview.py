from datetime import UTC

from odoo import api, fields, models

from ..const import CLOSED_STAGES, STAGES


class OmsOverview(models.AbstractModel):
    """The figures of the overview screen, each with the domain it was counted by: a click opens just those records."""

    _name = "oms.overview"
    _description = "OMS Overview"

    @api.model
    def get_overview(self):
        """Return the overview of the companies the user has selected.

        :return: list of sections {"key", "title", "kind", "tiles", "nothing"}, the last said where there are no tiles;
            a tile is {"label", "value", "hint", "level", "model", "domain", "text", "record_model", "record_id"}:
            ``level`` is "", "ok", "warning" or "error", ``text`` is shown instead of the value (a rate), and the label
            of a tile of the kind "channels" opens its record
        """
        return self._get_sections()

    @api.model
    def _get_sections(self):
        """Return the sections in the order they are shown. To be extended by addons with figures of their own."""
        return [
            self._get_today_section(),
            self._get_stage_section(),
            self._get_hold_section(),
            self._get_channel_section(),
        ]

    @api.model
    def _get_order_domain(self):
        return [("channel_id", "!=", False), ("company_id", "in", self.env.companies.ids)]

    @api.model
    def _get_today_section(self):
        """Orders that came in and events that happened since midnight in the user's time zone."""
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        start = midnight.strftime("%Y-%m-%d %H:%M:%S")
        labels = dict(self.env["oms.event"]._fields["code"]._description_selection(self.env))
        codes = self._get_today_event_codes()
        domain = [("date", ">=", start), ("company_id", "in", self.env.companies.ids)]
        counts = dict(
            self.env["oms.event"]._read_group([("code", "in", codes), *domain], ["code"], ["order_id:count_distinct"])
        )
        tiles = [
            {
                "label": labels[code],
                "value": counts.get(code, 0),
                "model": "sale.order",
                "domain": [("oms_event_ids", "any", [("code", "=", code), ("date", ">=", start)])],
            }
            for code in codes
        ]
        return {"key": "today", "title": self.env._("Today"), "kind": "tiles", "tiles": tiles}

    @api.model
    def _get_today_event_codes(self):
        """Return the event codes counted for today. Can be extended."""
        return ["received", "confirmed", "shipped", "cancelled"]

    @api.model
    def _get_stage_section(self):
        domain = [*self._get_order_domain(), ("oms_stage", "not in", ("done", "cancel"))]
        groups = {
            stage: (count, oldest)
            for stage, count, oldest in self.env["sale.order"]._read_group(
                domain, ["oms_stage"], ["__count", "date_order:min"]
            )
        }
        labels = dict(self.env["sale.order"]._fields["oms_stage"]._description_selection(self.env))
        tiles = []
        for stage, _label in STAGES:
            if stage in ("done", "cancel"):
                continue
            count, oldest = groups.get(stage, (0, None))
            tiles.append(
                {
                    "key": stage,
                    "label": labels[stage],
                    "value": count,
                    "oldest": fields.Datetime.to_string(oldest) if oldest and stage not in CLOSED_STAGES else False,
                    "level": "warning" if stage == "held" and count else "",
                    "model": "sale.order",
                    "domain": [*domain, ("oms_stage", "=", stage)],
                }
            )
        return {"key": "stages", "title": self.env._("Orders by Stage"), "kind": "bars", "tiles": tiles}

    @api.model
    def _get_hold_section(self):
        domain = [("state", "=", "active"), ("company_id", "in", self.env.companies.ids)]
        groups = self.env["oms.hold"]._read_group(
            domain, ["type_id"], ["__count", "create_date:min"], order="__count DESC"
        )
        tiles = [
            {
                "key": hold_type.code,
                "label": hold_type.name,
                "value": count,
                "oldest": fields.Datetime.to_string(oldest),
                "level": "warning",
                "model": "oms.hold",
                "domain": [*domain, ("type_id", "=", hold_type.id)],
            }
            for hold_type, count, oldest in groups
        ]
        return {
            "key": "holds",
            "title": self.env._("Holds by Reason"),
            "kind": "bars",
            "tiles": tiles,
            "nothing": self.env._("No order is on hold."),
        }

    @api.model
    def _get_channel_section(self):
        channels = self.env["oms.channel"].search([("company_id", "in", self.env.companies.ids)])
        tiles = [
            {
                "key": channel.code,
                "label": channel.name,
                "value": channel.open_order_count,
                "level": channel.health,
                "hint": channel.health_message,
                "model": "sale.order",
                "domain": [("channel_id", "=", channel.id), ("oms_stage", "not in", CLOSED_STAGES)],
                "record_model": "oms.channel",
                "record_id": channel.id,
            }
            for channel in channels
        ]
        return {
            "key": "channels",
            "title": self.env._("Channels"),
            "kind": "channels",
            "tiles": tiles,
            "nothing": self.env._("No channel yet. Connect a shop, or add a channel for the orders you type in."),
        }
