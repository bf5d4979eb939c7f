"""Small functions without a model."""

import logging

from odoo.exceptions import RedirectWarning, UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)


def try_apart(records, work):
    """Do ``work`` in a savepoint: whatever is wrong with these records stays with them, the others go on.

    :return: what went wrong, "" for nothing; a conflict with another transaction is raised
    """
    try:
        with records.env.cr.savepoint():
            work()
            records.env.flush_all()
    except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
        raise
    except Exception as error:  # whatever it is, the others go on; who calls keeps it with its records
        records.env.invalidate_all()
        if not isinstance(error, UserError | RedirectWarning):
            _logger.warning("%s %s: %s failed", records._name, records.ids, work.__name__, exc_info=error)
        return str(error.args[0] if error.args else error) or type(error).__name__
    return ""
