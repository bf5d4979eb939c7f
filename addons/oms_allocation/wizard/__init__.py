from . import oms_reject
from . import oms_resource
