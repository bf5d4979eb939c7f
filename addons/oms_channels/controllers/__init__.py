from . import raw_dispatcher
from . import oms_channels
from . import api
