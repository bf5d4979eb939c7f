from . import oms_stock_pool_move
