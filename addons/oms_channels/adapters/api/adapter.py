"""Orders that come by our own API or from files: there is no shop to call, only a payload to read."""

from .. import base
from . import mapper


class ApiAdapter(base.ChannelAdapter):
    """Reads our own order schema. What happens to an order is asked of us, so nothing is pushed."""

    provider = "api"
    label = "Inbound API"

    def parse_order(self, raw):
        return mapper.map_order(raw)
