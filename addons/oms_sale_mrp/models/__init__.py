from . import mrp_bom
from . import product_product
from . import sale_order
from . import sale_order_line
