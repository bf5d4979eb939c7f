from . import test_refund_before_shipping
from . import test_shop_requests
