from . import oms_desk_correction
