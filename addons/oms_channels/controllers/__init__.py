from . import oms_channels
