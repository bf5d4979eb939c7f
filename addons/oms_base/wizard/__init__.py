from . import oms_delivery_split
from . import oms_merge_proposals
