from . import test_allocation
from . import test_allocation_changes
from . import test_geography
from . import test_reallocation
from . import test_sellable
from . import test_solver
