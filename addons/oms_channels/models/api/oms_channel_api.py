import psycopg2

from odoo import fields, models
from odoo.exceptions import ConcurrencyError

from ...adapters.api.adapter import ApiAdapter
from ...adapters.api.mapper import get_version
from ...adapters.errors import AdapterError
from ...adapters.types import ChannelConfig
from ...openapi import validation
from ...openapi.problems import ApiProblem

CANCEL_TOPIC = "cancel"


class OmsChannel(models.Model):
    """What the inbound API does for a channel. Each ``_api_*`` answers one call: (HTTP status, JSON-able body).

    Called by the controller for a key of this channel only, with the system's rights: nothing here may reach beyond
    the channel.
    """

    _inherit = "oms.channel"

    def _get_api_adapter(self):
        """Return the adapter that reads our own order schema; it needs no connection."""
        return ApiAdapter(ChannelConfig(base_url=""))

    def _check_own_order(self, payload, adapter=None):
        """Return what is wrong with an order in our own schema, as [{"path", "message"}, ...]."""
        if errors := validation.check("Order", payload):
            return errors
        try:
            (adapter or self._get_api_adapter()).parse_order(payload)
        except AdapterError as error:
            return [{"path": "", "message": error.message}]
        return []

    # === SEND === #

    def _api_create_orders(self, parameters, body):
        """Put the good orders of a batch in the inbox, and say of each what became of it."""
        adapter, good, results = self._get_api_adapter(), [], []
        for index, payload in enumerate(body["orders"]):
            external_id = payload.get("external_id") if isinstance(payload, dict) else None
            result = {"index": index, "external_id": external_id if isinstance(external_id, str) else None}
            if errors := self._check_own_order(payload, adapter):
                result |= {"result": "refused", "message_id": None, "code": "invalid_order", "errors": errors}
            else:
                good.append((payload, result))
            results.append(result)
        for (_payload, result), (message_id, is_new) in zip(
            good, self._store_own_orders([payload for payload, _result in good], "api"), strict=True
        ):
            result |= {"result": "accepted" if is_new else "duplicate", "message_id": message_id}
        counts = {
            name: sum(row["result"] == kind for row in results)
            for name, kind in (("accepted", "accepted"), ("duplicates", "duplicate"), ("refused", "refused"))
        }
        if counts["refused"] == len(results):
            raise ApiProblem(422, "nothing_accepted", results=results)
        return (207 if counts["refused"] else 202), {**counts, "results": results}

    def _store_own_orders(self, payloads, source):
        """Store orders of our own schema in the inbox.

        :return: [(message id, whether it is new), ...], one a payload
        :raise ConcurrencyError: another transaction stored one of them at the same moment: to be tried again
        """
        Message = self.env["oms.channel.message"]
        keys = [(row["external_id"], get_version(row), Message._get_digest(row)) for row in payloads]
        items = [(key[0], key[1], payload) for key, payload in zip(keys, payloads, strict=True)]
        try:
            with self.env.cr.savepoint():
                new_ids = set(Message._store(self, items, source).ids)
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError("The same orders were stored by another call.") from error
        ids = {}
        for message in Message.search_fetch(
            [("channel_id", "=", self.id), ("external_id", "in", [key[0] for key in keys])],
            ["external_id", "version", "digest"],
        ):
            ids[message.external_id, message.version or "", message.digest] = message.id
        results = []
        for key in keys:
            # The second of two equal ones in a batch is a duplicate of the first.
            results.append((ids[key], ids[key] in new_ids))
            new_ids.discard(ids[key])
        return results

    # === CANCEL === #

    def _api_cancel_order(self, parameters, body):
        """Put a cancellation in the inbox, behind what was sent of the order before."""
        external_id = parameters["external_id"]
        Message = self.env["oms.channel.message"]
        messages = Message.search([("channel_id", "=", self.id), ("external_id", "=", external_id)])
        orders = Message.browse()._find_channel_orders(self, [external_id])
        if not messages and not orders:
            raise ApiProblem(404, "unknown_order")
        if any(message.topic == CANCEL_TOPIC for message in messages):
            return 202, self._prepare_cancel_answer(external_id, "duplicate")
        payload = {"external_id": external_id, "cancel": True, "reason": (body or {}).get("reason", "")}
        try:
            with self.env.cr.savepoint():
                Message.create(
                    {
                        "channel_id": self.id,
                        "source": "api",
                        "topic": CANCEL_TOPIC,
                        "external_id": external_id,
                        "version": f"{CANCEL_TOPIC}:1",
                        "digest": Message._get_digest({"external_id": external_id, "cancel": True}),
                        "payload": payload,
                    }
                )
        except psycopg2.errors.UniqueViolation as error:
            raise ConcurrencyError("The same order was cancelled by another call.") from error
        return 202, self._prepare_cancel_answer(external_id, "accepted")

    def _prepare_cancel_answer(self, external_id, result):
        message = (
            self.env._("The cancellation is on its way.")
            if result == "accepted"
            else self.env._("The cancellation was asked for before.")
        )
        return {"external_id": external_id, "result": result, "message": message}

    # === PING === #

    def _api_ping(self, parameters, body):
        """Say whose key it is. The scopes are added by the controller, which knows the key."""
        return 200, {"channel": self.name, "time": fields.Datetime.now().isoformat() + "Z"}
