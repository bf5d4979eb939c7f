from . import oms_channel
from . import oms_channel_payment
from . import oms_channel_payment_credit
from . import account_move
