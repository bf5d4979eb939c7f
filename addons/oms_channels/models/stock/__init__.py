from . import oms_stock_change
from . import stock_wake
from . import oms_channel_listing_stock
from . import oms_channel_stock
from . import oms_channel_stock_push
from . import oms_channel_stock_compare
