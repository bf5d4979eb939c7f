from . import oms_channels
from . import api
