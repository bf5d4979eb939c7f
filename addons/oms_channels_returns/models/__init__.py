from . import account_move
from . import oms_return
from . import sale_order
from . import stock_picking
