from datetime import UTC, datetime
from decimal import Decimal

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, float_repr

from ...openapi.problems import ApiProblem
from .oms_channel_api import CANCEL_TOPIC

PAGE_SIZE = 50
# A message that failed at once was refused for a reason in words; one tried this often met something unforeseen.
FORESEEN_TRIES = 1


class OmsChannel(models.Model):
    """What the inbound API tells of a channel: states of orders and sellable quantities."""

    _inherit = "oms.channel"

    # === ORDERS === #

    def _api_get_order(self, parameters, body):
        """Tell the state of one order, imported or not."""
        [state] = self._prepare_order_states([parameters["external_id"]]) or [None]
        if state is None:
            raise ApiProblem(404, "unknown_order")
        return 200, state

    def _api_list_orders(self, parameters, body):
        """Tell the states of the orders that something happened to, in the order of their last event; then those that
        are in the inbox only, with what keeps them there.

        The cursor is the id of the last event told, then "m" and that of the last message, so that a page neither skips
        nor repeats while events and messages come in.
        """
        limit, cursor = parameters.get("limit") or PAGE_SIZE, parameters.get("cursor") or "0"
        since = datetime.fromisoformat(parameters.get("updated_since") or "2000-01-01T00:00:00Z")
        since = since.astimezone(UTC).replace(tzinfo=None)
        rows = [] if cursor.startswith("m") else self._query_changed_orders(since, int(cursor), limit + 1)
        page, following = rows[:limit], None
        if len(rows) > limit:
            following = str(page[-1][1])
        else:
            left, after = limit - len(page), int(cursor.removeprefix("m")) if cursor.startswith("m") else 0
            waiting = self._query_waiting_orders(since, after, left + 1)
            page += waiting[:left]
            if len(waiting) > left:
                # Nothing of the inbox is told yet when the orders filled the page.
                following = f"m{waiting[left - 1][1] if left else after}"
        return 200, {"orders": self._prepare_order_states([row[0] for row in page]), "next_cursor": following}

    def _query_changed_orders(self, since, after, limit):
        """Return [(id in the shop, id of the last event)] of orders that something happened to."""
        self.env["oms.event"].flush_model()
        self.env["sale.order"].flush_model(["channel_order_id"])
        return self.env.execute_query(
            SQL(
                """
                SELECT sale_order.channel_order_id, MAX(event.id)
                  FROM oms_event event
                  JOIN sale_order ON sale_order.id = event.order_id
                 WHERE event.channel_id = %s AND event.date >= %s AND event.id > %s
                   AND sale_order.channel_id = event.channel_id AND sale_order.channel_order_id IS NOT NULL
                 GROUP BY sale_order.channel_order_id
                 ORDER BY MAX(event.id)
                 LIMIT %s
                """,
                self.id,
                since,
                after,
                limit,
            )
        )

    def _query_waiting_orders(self, since, after, limit):
        """Return [(id in the shop, id of the last message)] of what was sent and is no order here: it waits, failed or
        was skipped."""
        self.env["oms.channel.message"].flush_model()
        self.env["sale.order"].flush_model(["channel_id", "channel_order_id"])
        return self.env.execute_query(
            SQL(
                """
                SELECT message.external_id, MAX(message.id)
                  FROM oms_channel_message message
                 WHERE message.channel_id = %(channel)s AND message.external_id != ''
                   AND NOT EXISTS (
                       SELECT 1 FROM sale_order
                        WHERE sale_order.channel_id = message.channel_id
                          AND sale_order.channel_order_id = message.external_id
                   )
                 GROUP BY message.external_id
                HAVING MAX(message.id) > %(after)s AND MAX(message.write_date) >= %(since)s
                 ORDER BY MAX(message.id)
                 LIMIT %(limit)s
                """,
                channel=self.id,
                after=after,
                since=since,
                limit=limit,
            )
        )

    def _prepare_order_states(self, external_ids):
        """Return the states of orders by their external ids; what is not here is left out."""
        orders = {
            order.channel_order_id: order
            for order in self.env["oms.channel.message"]._find_channel_orders(self, external_ids)
        }
        messages = {}
        for message in self.env["oms.channel.message"].search(
            [("channel_id", "=", self.id), ("external_id", "in", external_ids)], order="id"
        ):
            # What was sent last counts; a cancellation shows in the order itself once it is there.
            if message.topic != CANCEL_TOPIC or message.external_id not in orders:
                messages[message.external_id] = message
        dates = self._get_event_dates(list(orders.values()))
        return [
            {
                "external_id": external_id,
                **self._prepare_import_state(messages.get(external_id), orders.get(external_id)),
                **self._prepare_stage(orders.get(external_id), dates),
            }
            for external_id in external_ids
            if external_id in orders or external_id in messages
        ]

    def _get_event_dates(self, orders):
        """Return {order: date of its last event}."""
        order_ids = [order.id for order in orders]
        return dict(self.env["oms.event"]._read_group([("order_id", "in", order_ids)], ["order_id"], ["date:max"]))

    def _prepare_import_state(self, message, order):
        """Return what became of what was sent last."""
        if not message:
            return {"state": "imported", "message": None, "message_id": None}
        states = {"pending": "waiting", "done": "imported", "failed": "failed", "skipped": "skipped"}
        state = "imported" if message.state == "skipped" and order else states[message.state]
        text = self._get_import_error(message) if message.state == "failed" else message.result
        return {"state": state, "message": text or None, "message_id": message.id}

    def _get_import_error(self, message):
        """Return in words why an order could not be imported, without what goes on inside."""
        if message.listing_ids:
            return self.env._(
                "These SKUs are not known here yet: %(skus)s. The order goes on once they are.",
                skus=", ".join(listing.sku or listing.title for listing in message.listing_ids),
            )
        if message.attempts <= FORESEEN_TRIES:
            return message.last_error
        return self.env._("The order could not be imported. We have been told and look at it.")

    def _prepare_stage(self, order, dates):
        """Return where an order is, what holds it, its parcels and refunds."""
        if not order:
            nothing = dict.fromkeys(("reference", "stage", "total", "currency", "updated_at"))
            lists = ("holds", "shipments", "refunds", "cancelled_lines")
            return {**nothing, **{name: [] for name in lists}, "cancel_reason": None}
        date = dates.get(order)
        return {
            "reference": order.channel_order_ref or None,
            "stage": order.oms_stage or None,
            "holds": self._prepare_holds(order),
            "shipments": self._prepare_shipments(order),
            "refunds": self._prepare_refunds(order),
            "cancelled_lines": self._prepare_cancelled_lines(order),
            "cancel_reason": order.channel_cancel_reason or None,
            "total": float_repr(order.amount_total, order.currency_id.decimal_places),
            "currency": order.currency_id.name,
            "updated_at": f"{date.isoformat()}Z" if date else None,
        }

    def _prepare_holds(self, order):
        """Return the gates at which an order is held: why is between us."""
        sentences = {
            "confirm": self.env._("The order is being checked."),
            "allocate": self.env._("The order is being checked before stock is reserved."),
            "release": self.env._("The order is being checked before it is picked."),
            "ship": self.env._("The order is being checked before it is sent."),
            "refund": self.env._("The refund is being checked."),
        }
        gates = {hold.gate for hold in order.oms_hold_ids if hold.state == "active"}
        return [{"gate": gate, "message": sentence} for gate, sentence in sentences.items() if gate in gates]

    def _prepare_shipments(self, order):
        """Return what has left for the buyer."""
        lines = {line.channel_line_id: line for line in order.order_line}
        shipments = []
        for picking in order._oms_get_outbound_pickings()._oms_filter_deliveries():
            if picking.state != "done":
                continue
            quantities = picking._get_channel_quantities().get(order) or []
            shipments.append(
                {
                    "parcels": self._prepare_parcels(picking, order, quantities, lines),
                    "tracking_number": picking.carrier_tracking_ref or None,
                    "carrier": picking.carrier_id.name or None,
                    "tracking_url": picking.carrier_tracking_url or None,
                    "shipped_at": f"{picking.date_done.isoformat()}Z" if picking.date_done else None,
                    "lines": self._prepare_shipped_lines(quantities, lines),
                }
            )
        return shipments

    def _prepare_parcels(self, picking, order, quantities, lines):
        """Return the boxes of a transfer. Where nobody knows what is in which, their numbers alone are told."""
        parcels = picking._get_channel_parcels(order)
        if not parcels:
            numbers = [number.strip() for number in (picking.carrier_tracking_ref or "").split(",")]
            content = quantities if len(numbers) == 1 else []
            url = picking.carrier_tracking_url if len(numbers) == 1 else ""
            parcels = [(number, url, content) for number in numbers]
        return [
            {
                "tracking_number": number or None,
                "tracking_url": url or None,
                "lines": self._prepare_shipped_lines(content, lines),
            }
            for number, url, content in parcels
        ]

    @api.model
    def _prepare_shipped_lines(self, quantities, lines):
        return [
            {
                "external_id": line_id,
                "sku": lines[line_id].product_id.default_code or "" if line_id in lines else "",
                "quantity": float(quantity),
            }
            for line_id, quantity in quantities
        ]

    def _prepare_cancelled_lines(self, order):
        """Return the units that were ordered and are wanted no more here."""
        lines = {line.channel_line_id: line for line in order.order_line}
        here = {} if order.state == "cancel" else order._get_units_here()
        ordered = (order.channel_snapshot or {}).get("lines", {})
        units = {key: Decimal(row["quantity"]) - here.get(key, 0) for key, row in ordered.items()}
        return self._prepare_shipped_lines([(key, count) for key, count in units.items() if count > 0], lines)

    def _prepare_refunds(self, order):
        """Return the credit notes of an order."""
        refunds = []
        for move in order.invoice_ids:
            if move.move_type != "out_refund" or move.state != "posted":
                continue
            refund = move._get_channel_refunds(is_owed=False).get(order)
            if refund:
                refunds.append(
                    {
                        "amount": float_repr(refund["amount"], move.currency_id.decimal_places),
                        "currency": move.currency_id.name,
                        "date": move.invoice_date.isoformat() if move.invoice_date else None,
                    }
                )
        return refunds

    # === STOCK === #

    def _api_list_stock(self, parameters, body):
        """Tell what may be sold, as it is published to shops."""
        limit, skus = parameters.get("limit") or PAGE_SIZE, parameters.get("sku") or []
        Model, domain, field = self._get_stock_source()
        if skus:
            domain &= Domain(field, "in", skus)
        after = Domain("id", ">", int(parameters.get("cursor") or 0))
        rows = Model.search(domain & after, order="id", limit=limit + 1)
        page = rows[:limit]
        if Model._name == "product.product":
            by_id = self._get_publishable_quantities(page)
            quantities = {row: by_id[row.id] for row in page}
        else:  # a listing may have a rule of its own
            quantities = self._get_listing_quantities(page)
        items = [{"sku": row[field], "quantity": quantities.get(row, 0.0)} for row in page]
        known = set(Model.search(domain).mapped(field)) if skus else set()
        return 200, {
            "items": items,
            "unknown": [sku for sku in dict.fromkeys(skus) if sku not in known],
            "next_cursor": str(page[-1:].id) if len(rows) > limit else None,
        }

    def _get_stock_source(self):
        """Return where the SKUs of this channel are: (model, domain, name of the field).

        A channel with a shop sells what is listed there; one without sells all storable products with a reference.
        """
        if self.provider:
            domain = (
                Domain("channel_id", "=", self.id)
                & Domain("product_id.is_storable", "=", True)
                & Domain("is_publishing", "=", True)
                & Domain("is_active", "=", True)
                & Domain("sku", "!=", False)
            )
            return self.env["oms.channel.listing"], domain, "sku"
        domain = (
            Domain("is_storable", "=", True)
            & Domain("sale_ok", "=", True)
            & Domain("default_code", "!=", False)
            & Domain("company_id", "in", (False, self.company_id.id))
        )
        return self.env["product.product"], domain, "default_code"
