"""A pytest plugin for Odoo's own tests: leaves out what Odoo's runner leaves out without special tags, and all but the
tests that the file ``OMS_ONLY_TESTS`` names, where there is one."""

import ast
import os
from pathlib import Path


def pytest_collection_modifyitems(config, items):
    """Leave out tests that are not tagged ``standard`` (other countries, external services), and functions without a
    class: what looks like a test of pytest's is a helper of Odoo's (one of `account` makes the registry anew)."""
    names = os.environ.get("OMS_ONLY_TESTS")
    only = set(Path(names).read_text().splitlines()) if names else None
    left_out = [
        item
        for item in items
        if not item.cls
        or "standard" not in getattr(item.cls, "test_tags", {"standard"})
        or (only is not None and not _is_named(item, only))
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _is_named(item, names):
    """Whether one of the names, such as ``sale.tests.test_sale_order.TestSaleOrder.test_name``, is this test's."""
    return f"{item.path.parts[-3]}.tests.{item.path.stem}.{item.cls.__name__}.{item.name}" in names


def pytest_ignore_collect(collection_path):
    """Leave out test files their package does not import: Odoo's runner does not know them."""
    path = Path(collection_path)
    init = path.with_name("__init__.py")
    if path.suffix != ".py" or not path.name.startswith("test_") or not init.is_file():
        return None
    imports = [node for node in ast.walk(ast.parse(init.read_text())) if isinstance(node, ast.ImportFrom)]
    return True if path.stem not in {alias.name for node in imports for alias in node.names} else None
