from . import product_product
from . import sale_order_stock
