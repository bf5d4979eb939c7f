from . import oms_connector
from . import oms_connector_endpoint
from . import oms_connector_field
from . import oms_connector_preview
from . import oms_connector_exchange
from . import oms_connector_transfer
from . import oms_connector_ready
from . import oms_channel
