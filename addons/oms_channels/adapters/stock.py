"""What publishers of stock share. Pure."""

from .notices import StockResult


class BatchPublisher:
    """Tells a shop of many levels, ``batch`` in each call. A subclass says how by ``_publish_batch``.

    :param get_location_id: callable -> the shop's id of the location for levels that name none
    """

    batch = 100

    def __init__(self, client, get_location_id):
        self.client, self.get_location_id = client, get_location_id

    def publish(self, levels):
        """:return: StockResult"""
        errors = []
        for start in range(0, len(levels), self.batch):
            errors += self._publish_batch(levels[start : start + self.batch])
        return StockResult(tuple(errors))

    def fetch(self, levels):
        """:return: tuple of Decimal or None, one for each level"""
        found = []
        for start in range(0, len(levels), self.batch):
            found += self._fetch_batch(levels[start : start + self.batch])
        return tuple(found)

    def _fetch_batch(self, levels):
        """Return a list of what may be sold, None for each level that the shop does not keep."""
        raise NotImplementedError

    def _publish_batch(self, levels):
        """Return a list of errors, "" for each level that the shop has now."""
        raise NotImplementedError
