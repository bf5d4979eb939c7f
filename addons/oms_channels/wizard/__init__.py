from . import oms_match_preview
from . import oms_order_import
from . import oms_order_import_report
