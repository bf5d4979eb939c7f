"""The contract every shop adapter fulfils."""

from datetime import timedelta

from . import http
from .errors import AdapterError, AuthError, BadResponse, NotSupported, Rejected
from .types import OrderRef, PageItem, RefPage

ORDERS, WEBHOOK, LISTINGS, STOCK = "orders", "webhook", "listings", "stock"
SHIPMENT, DELIVERED, CANCEL, RETURN_RECEIVED, REFUND = "shipment", "delivered", "cancel", "return_received", "refund"
# Takes units off an order; takes the answer to what a buyer asks back.
CANCEL_LINES, ANSWER = "cancel_lines", "answer"
WEBHOOK_SETUP = "webhook_setup"
# Can list the movements of the account from which it pays the shop out, with its fees.
PAYOUTS = "payouts"
# Can list what it has, for the count against what is here; can get new keys before the old ones end.
AUDIT, REFRESH = "audit", "refresh"
# Can say how many it may sell by now; takes another price.
STOCK_READ, PRICE = "stock_read", "price"
# Key of a raw order that is only what the list says of it.
INCOMPLETE = "omsIncomplete"


class ChannelAdapter:
    """Talks to one shop. Knows no database, no clock, no retry: it does one thing and returns, or raises AdapterError.

    Every push is idempotent: it reads the shop first and returns the existing result (``PushResult.is_repeat``) when
    our tracking number or key is already there, because a worker may die between the call and its own commit.

    :param config: ChannelConfig
    :param transport: callable(HttpRequest) -> HttpResponse; tests and proxies give their own
    """

    provider = ""
    label = ""
    capabilities = frozenset()
    # What the settings form must ask for.
    credential_keys = ()
    option_keys = ()
    # Whether the change marker of the shop's list misses changes, so that open orders must be re-read now and then.
    needs_reread = False
    # Whether its list of orders is sorted by time, and goes on from a place in it whatever changes meanwhile.
    keeps_place = True
    # How long before they end keys are renewed: with days, a person has time to act when the platform refuses.
    renew_before = timedelta(minutes=10)
    # The credential that new keys are asked for with; without it nobody tries. Empty: with those entered.
    refresh_key = ""
    # Whether it numbers its orders one after the other, so that a number left out is worth a look.
    numbers_in_sequence = False
    # How often its orders are best pulled: each minute where it tells of nothing by itself.
    pull_minutes = 5
    # The platform's address, where all shops have the same.
    default_url = ""
    # The topics that `ensure_webhooks` registers.
    webhook_topics = ()
    # Key and values by which a raw order of the list says that it is cancelled, to be worked before the others.
    status_key, cancelled_states = "status", frozenset()
    # Topics of webhooks about orders that were deleted, some of them so that they can't be read any more.
    deleted_topics = frozenset()
    # Whether its orders say nothing of refunds, so that they are taken from the movements of its account.
    refunds_come_by_payouts = False

    def __init__(self, config, transport=None):
        self.config = config
        self.transport = transport or http.send
        self._listed_stock = None

    def __repr__(self):
        return f"<{type(self).__name__} {self.config.base_url}>"

    # === READ === #

    def test_connection(self):
        """Prove that address and key work.

        :return: dict with ``shop`` (name) and ``details`` (list of (label, value) strings for a person)
        """
        raise self._not_supported("test_connection")

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """Return a Page of orders changed at or after ``since`` (and before ``until``), oldest change first."""
        raise self._not_supported("fetch_orders_page")

    def iter_orders_since(self, since, until=None, limit=50):
        """Yield Page after Page, so that the caller can store and commit each before the next is asked for."""
        cursor = None
        while True:
            page = self.fetch_orders_page(since, until=until, cursor=cursor, limit=limit)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def _make_item(self, external_id, listed, read, get_version):
        """Return the PageItem of an order that the list names. One whose details the shop does not show holds up no
        other: it comes as it was listed, and is read again when the inbox works it. What every order would meet (an
        outage, a limit, a refused key) stops the page.

        :param listed: what the list says of it
        :param read: callable -> the raw order in full
        :param get_version: callable(raw order) -> its version
        """
        try:
            raw = read()
            return PageItem(external_id, get_version(raw), raw)
        except (Rejected, BadResponse):
            return PageItem(external_id, "", {**listed, INCOMPLETE: True})

    @staticmethod
    def is_incomplete(raw):
        """Return whether a raw order is only what the list said of it: it is to be fetched before it is used. Pure."""
        return isinstance(raw, dict) and INCOMPLETE in raw

    def fetch_refs_page(self, since, until=None, cursor=None, limit=100):
        """Return a RefPage of every order changed at or after ``since``, so every order placed since then. An order may
        come twice. To be overridden where a shop lists orders without their content."""
        page = self.fetch_orders_page(since, until=until, cursor=cursor, limit=limit)
        return RefPage(tuple(map(self._make_ref, page.items)), page.next_cursor)

    def list_order_ids(self, since, until=None, limit=100):
        """Yield tuples of OrderRef, a page each; see ``fetch_refs_page``."""
        cursor = None
        while True:
            page = self.fetch_refs_page(since, until=until, cursor=cursor, limit=limit)
            yield page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def count_orders(self, since, until=None):
        """Return how many orders the shop lists for this time."""
        return len({ref.external_id for refs in self.list_order_ids(since, until=until) for ref in refs})

    def _make_ref(self, item):
        """Return the OrderRef of a PageItem. An order that can't be read is listed as well: it is there."""
        try:
            order = self.parse_order(item.payload)
        except AdapterError:
            return OrderRef(item.external_id, version=item.version, payload=item.payload)
        return OrderRef(item.external_id, order.reference, order.placed_at, item.version, item.payload)

    @classmethod
    def says_cancelled(cls, raw):
        """Return whether a raw order says that it is cancelled, without reading all of it. Pure."""
        status = raw.get(cls.status_key) if isinstance(raw, dict) else None
        return isinstance(status, str) and status in cls.cancelled_states

    def fetch_order(self, external_id):
        """Return the raw payload (dict) of one order as it is now. Raises Rejected when the shop has none."""
        raise self._not_supported("fetch_order")

    def parse_order(self, raw):
        """Map a raw payload to a ChannelOrder. Pure. Raises BadResponse (final) that names what is wrong."""
        raise self._not_supported("parse_order")

    def fetch_listings(self, cursor=None, limit=100):
        """Return a ListingPage of what the shop offers."""
        raise self._not_supported("fetch_listings")

    def fetch_payouts_page(self, since, cursor=None, limit=100):
        """Return a PayoutPage of what moved on the shop's account with the platform since a moment."""
        raise self._not_supported("fetch_payouts_page")

    # === WEBHOOKS === #

    def verify_and_parse_webhook(self, headers, raw_body, secret, *, now):
        """Check the signature on the raw bytes and the age, return a ChannelEvent. Pure.

        :param headers: mapping of str, any case
        :param raw_body: bytes
        :param secret: the shared secret, or several (old and new while it is changed) in a list; none refuses
        :param now: aware datetime
        :raises AuthError: no secret, no or wrong signature, too old
        :raises BadResponse: signed, but not understood
        """
        raise self._not_supported("verify_and_parse_webhook")

    def resolve_event(self, event):
        """Return the external id of the order an event is about, "" if none. May ask the shop."""
        return event.order_external_id

    def fetch_webhooks(self):
        """Return a list of WebhookRegistration: every webhook that the shop has."""
        raise self._not_supported("fetch_webhooks")

    def ensure_webhooks(self, url, secret):
        """Have the shop send what concerns orders to ``url``, signed with ``secret``: make what is missing, mend what
        sleeps or points elsewhere, leave alone what is not ours.

        :return: WebhookReport
        """
        raise self._not_supported("ensure_webhooks")

    # === PUSH === #

    def push_shipment(self, notice):
        """Tell the shop that goods left. :param notice: ShipmentNotice :return: PushResult"""
        raise self._not_supported("push_shipment")

    def push_delivered(self, notice):
        """Tell the shop that a parcel arrived. :param notice: DeliveryNotice :return: PushResult"""
        raise self._not_supported("push_delivered")

    def push_cancel(self, notice):
        """Cancel the order in the shop; ``data["refunded"]`` says how much was given back, {payment: amount as text};
        ``data["by_hand"]`` what the shop only noted: {amount, provider}.

        :param notice: CancelNotice without lines
        :return: PushResult
        """
        raise self._not_supported("push_cancel")

    def push_cancel_lines(self, notice):
        """Take units that have not left off the order and give their money back; ``data["refunded"]`` as above.

        :param notice: CancelNotice with lines
        :return: PushResult
        """
        raise self._not_supported("push_cancel_lines")

    def push_answer(self, notice):
        """Agree to what the buyer asks back, or refuse. :param notice: AnswerNotice :return: PushResult"""
        raise self._not_supported("push_answer")

    def push_return_received(self, notice):
        """Tell the shop that goods came back. :param notice: ReturnNotice :return: PushResult"""
        raise self._not_supported("push_return_received")

    def push_refund(self, notice):
        """Give the buyer's money back. :param notice: RefundNotice :return: PushResult"""
        raise self._not_supported("push_refund")

    def push_stock(self, levels):
        """Publish sellable quantities. :param levels: sequence of StockLevel :return: StockResult"""
        raise self._not_supported("push_stock")

    def fetch_stock(self, levels):
        """Read back what `push_stock` tells: how many the shop may sell, in the same sense.

        :param levels: sequence of StockLevel, their quantities mean nothing
        :return: tuple of Decimal, None of what the shop keeps no stock of; one for each level
        """
        if STOCK_READ not in self.capabilities:
            raise self._not_supported("fetch_stock")
        return self._look_up_stock(levels)

    def _look_up_stock(self, levels):
        """By the list of products, read once in the adapter's life. To be overridden where a shop can be asked for a
        few, or where its list does not tell."""
        if self._listed_stock is None:
            self._listed_stock = {}
            cursor = ""
            while cursor is not None:
                page = self.fetch_listings(cursor=cursor or None)
                for listing in page.items:
                    self._listed_stock[listing.external_id] = listing.quantity
                    self._listed_stock.setdefault(("sku", listing.sku), listing.quantity)
                cursor = page.next_cursor
        return tuple(
            self._listed_stock.get(level.external_id)
            if level.external_id
            else self._listed_stock.get(("sku", level.sku))
            for level in levels
        )

    def push_price(self, notice):
        """Set the price of one listing. :param notice: PriceNotice :return: PushResult"""
        raise self._not_supported("push_price")

    # === KEYS === #

    def refresh_credentials(self):
        """Return Credentials that replace the present ones before they end. Called by one worker at a time, in a
        transaction of its own; the settings keep the answer."""
        raise self._not_supported("refresh_credentials")

    # === HELPERS === #

    @staticmethod
    def _find_missing_rights(probes):
        """Return which calls the keys may not make.

        :param probes: {name of a call: callable that makes it about something that is not there}; who is told just that
            may ask
        """
        missing = []
        for name, probe in probes.items():
            try:
                probe()
            except (Rejected, BadResponse):
                continue
            except AuthError as error:
                if error.is_shop_wide:
                    raise
                missing.append(name)
        return missing

    def _not_supported(self, what):
        return NotSupported(f"{self.label or type(self).__name__} does not support {what}.")
