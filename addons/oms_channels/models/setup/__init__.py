from . import oms_shop_platform
from . import oms_channel
