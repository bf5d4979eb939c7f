from . import test_shop_requests
