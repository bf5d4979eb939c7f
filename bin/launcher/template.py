"""Template databases: installed once per state of what they are made of, then cloned in half a second.

Two of them, one on the other: the host (Odoo's own modules) and the suite (our addons installed in a copy
of the host), so a change of an addon costs seconds, not minutes.
"""

import hashlib

from . import console, database, guard, layout, odoo, odoo_source

_BUNDLES = layout.REPO / "bin/pregenerate_assets.py"


def _digest(*parts):
    return hashlib.sha1("\n".join(map(str, parts)).encode()).hexdigest()[:10]


def _digest_files(folder, is_wanted):
    digest = hashlib.sha1()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_file() and "__pycache__" not in relative and is_wanted(relative):
            digest.update(relative.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def addon_digests():
    """Digest of each addon without its tests and static files: what installing or updating it depends on."""
    return {
        name: _digest_files(layout.ADDONS / name, lambda path: not path.startswith(("tests/", "static/")))
        for name in layout.our_addons()
    }


def _bundles_digest():
    """Digest of what the asset bundles are made of."""
    is_static = [
        _digest_files(layout.ADDONS / name, lambda path: path.startswith("static/")) for name in layout.our_addons()
    ]
    return _digest(_BUNDLES.read_text(), *is_static)


def _prefix(kind):
    return f"oms_{kind}_{layout.home_id()}_"


def host_name():
    return _prefix("host") + _digest(odoo_source.version(), layout.HOST_ADDONS, layout.LANGUAGES)


def suite_name():
    return _prefix("tpl") + _digest(host_name(), sorted(addon_digests().items()))


def _is_ready(for_tests):
    name = suite_name()
    note = database.get_note(name) if database.exists(name) else {}
    return note.get("bundles") == _bundles_digest() and (note.get("for_tests") or not for_tests)


def ensure(progress=None, for_tests=True):
    """Make the templates that are missing, drop those of earlier states; return the name of the suite's.

    :param for_tests: also build the asset bundles that only tests load
    """
    with guard.lock("template", "Another ./oms is preparing the databases; waiting for it."):
        if not _is_ready(for_tests):
            progress = progress or console.Progress(1)
            with progress.step(f"Databases: Odoo and {len(layout.our_addons())} addons"):
                return _build(for_tests)
        if progress:
            progress.ready("Databases")
        return suite_name()


def ensure_host():
    """Make the template with Odoo's own modules only; return its name."""
    with guard.lock("template", "Another ./oms is preparing the databases; waiting for it."):
        if not database.exists(host_name()):
            with console.Progress(1).step("Database: Odoo without our addons"):
                _build_host()
        return host_name()


def _build(for_tests):
    guard.check_space(700)
    host, suite = host_name(), suite_name()
    _drop_earlier(host, suite)
    if not database.exists(host):
        _build_host()
    if not database.exists(suite):
        aside = _prefix("new") + "suite"
        database.clone(host, aside)
        odoo.install(aside, layout.our_addons(), "Installing our addons")
        database.rename(aside, suite)
    odoo.run_script(suite, _BUNDLES, "Building the asset bundles", OMS_TEST_BUNDLES="1" if for_tests else "")
    database.set_note(suite, {"bundles": _bundles_digest(), "for_tests": for_tests})
    return suite


def _drop_earlier(host, suite):
    """Drop the templates of earlier states, once no run of tests may still clone them."""
    if guard.locked(layout.TESTS):
        return
    for name in [*database.names(_prefix("host")), *database.names(_prefix("tpl"))]:
        if name not in (host, suite):
            database.drop(name)


def _build_host():
    aside = _prefix("new") + "host"
    database.drop(aside)
    odoo.install(aside, layout.HOST_ADDONS, "Installing Odoo", f"--load-language={layout.LANGUAGES}")
    database.rename(aside, host_name())
