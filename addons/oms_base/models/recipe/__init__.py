from . import oms_rule_exchange
from . import oms_rule_exchange_gift
from . import oms_rule
from . import oms_rule_pack
from . import oms_rule_recipe
from . import oms_rule_transfer
from . import sale_order
