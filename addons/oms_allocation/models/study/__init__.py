from . import oms_sourcing_trial
from . import oms_sourcing_trial_line
from . import oms_sourcing_trial_run
