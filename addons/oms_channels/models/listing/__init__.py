from . import oms_channel_code
from . import oms_channel_match_rule
from . import oms_channel_listing_import
from . import oms_channel_listing_match
from . import oms_channel_listing_drift
from . import oms_channel_price_push
from . import oms_overview
