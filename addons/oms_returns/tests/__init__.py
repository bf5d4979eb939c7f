from . import test_concurrency
from . import test_credit
from . import test_portal
from . import test_receipt
from . import test_refund_only
from . import test_request
from . import test_security
from . import test_stage
