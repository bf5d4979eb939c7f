from . import oms_return_inspect
from . import stock_return_picking
