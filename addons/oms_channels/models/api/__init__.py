from . import ir_http
from . import oms_api_key
from . import oms_api_bucket
from . import oms_api_call
from . import oms_channel_api
from . import oms_channel_api_read
from . import oms_channel_message_api
from . import sale_order_api
