from . import oms_reject
from . import oms_resource
from . import oms_stock_pool_move
