from . import oms_delivery_split
from . import oms_desk_correction
from . import oms_desk_split
from . import oms_merge_proposals
