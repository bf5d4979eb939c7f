from . import oms_channel_payout
from . import oms_channel
from . import sale_order
