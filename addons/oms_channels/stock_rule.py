"""From what is free to what a shop is told it may sell. Pure, no ORM."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class StockRule:
    """Quantities in the product's unit; ``percent`` of 100; ``maximum`` 0 is no limit."""

    safety: float = 0.0
    percent: float = 100.0
    plus: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0

    def apply(self, free):
        """Return the whole units to tell: clamp((free - safety) x percent + plus, minimum, maximum), never below 0."""
        # Rounded before it is cut off: 0.1 x 30 is a hair below 3.
        told = math.floor(round((free - self.safety) * self.percent / 100 + self.plus, 6))
        if self.maximum:
            told = min(told, math.floor(self.maximum))
        return float(max(told, math.floor(self.minimum), 0))
