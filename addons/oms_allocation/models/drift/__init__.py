from . import oms_conservation
from . import oms_overview
from . import oms_stock_drift
from . import oms_stock_drift_order
from . import oms_stock_drift_quant
