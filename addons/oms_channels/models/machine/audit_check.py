"""How far a gap check is. Pure, no ORM."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime


def make_hour():
    """What is counted of an hour: orders in the shop, their numbers, those missed, what is here of them, by state."""
    return {"ids": 0, "numbers": [], "missed": {}, "held": Counter(), "extra": 0}


@dataclass
class AuditCheck:
    """:param since: from which hour the shop lists its orders (naive UTC)
    :param started: when the check began: what is younger is not due
    :ivar cursor: the shop's place of the next page, None before the first and after the last
    :ivar seen: ids of all orders that were listed
    """

    since: datetime
    started: datetime
    cursor: str | None = None
    hours: dict = field(default_factory=lambda: defaultdict(make_hour))
    seen: set = field(default_factory=set)

    def to_json(self):
        """Return it as JSON-able data."""
        return {
            "since": self.since.isoformat(),
            "started": self.started.isoformat(),
            "cursor": self.cursor,
            "hours": {hour.isoformat(): row for hour, row in self.hours.items()},
            "seen": sorted(self.seen),
        }

    @classmethod
    def from_json(cls, data):
        """Return the check that ``to_json`` gave."""
        check = cls(datetime.fromisoformat(data["since"]), datetime.fromisoformat(data["started"]), data["cursor"])
        for hour, row in data["hours"].items():
            check.hours[datetime.fromisoformat(hour)] = {**row, "held": Counter(row["held"])}
        check.seen.update(data["seen"])
        return check
