from . import oms_channel
from . import pos_config
from . import pos_order
from . import pos_session
