from . import dispatcher
from . import oms_api
