"""The launcher's promises that need no database: clear sentences, whole files, locks that survive a kill."""

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
LAUNCHER = REPO / "bin"
pytestmark = pytest.mark.nodb


def call(*arguments, home, **variables):
    """Run ./oms in a state folder of its own and return the finished process."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "OMS_HOME": str(home / "state"), **variables}
    return subprocess.run([REPO / "oms", *arguments], check=False, env=env, capture_output=True, text=True, timeout=60)


def run_inside(code, home, **variables):
    """Run Python code with the launcher's package on the path."""
    env = {"PATH": os.environ["PATH"], "OMS_HOME": str(home / "state"), "PYTHONPATH": str(LAUNCHER), **variables}
    command = [sys.executable, "-B", "-c", code]
    return subprocess.run(command, check=False, env=env, capture_output=True, text=True, timeout=60)


def test_help_names_every_command(tmp_path):
    result = call("--help", home=tmp_path)
    assert result.returncode == 0
    for command in ("run", "test", "stop", "reset", "shell", "lint", "bench", "logs", "i18n"):
        assert f"\n  {command} " in result.stdout
    assert not (tmp_path / "state").exists()


def test_unknown_command_is_refused_in_one_sentence(tmp_path):
    result = call("rnu", home=tmp_path)
    assert result.returncode == 2
    assert result.stderr == "oms: there is no command rnu; see ./oms --help\n"


def test_taken_port_is_named_with_a_free_one(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = call("run", home=tmp_path, OMS_PORT=str(port))
    assert result.returncode == 1
    assert result.stderr.startswith(f"oms: Port {port} is taken by another program.")
    assert "OMS_PORT=" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OMS_PORT": "abc"}, "oms: OMS_PORT=abc is no port"),
        ({"OMS_PORT": "99999"}, "oms: OMS_PORT=99999 is no port"),
        ({"OMS_HOST": "192.0.2.1"}, "oms: OMS_HOST=192.0.2.1 is no address of this machine"),
    ],
)
def test_impossible_port_or_address_is_one_sentence(tmp_path, variables, words):
    result = call("run", home=tmp_path, **variables)
    assert result.returncode == 1
    assert result.stderr.startswith(words) and result.stderr.count("\n") == 1, result.stderr


def test_taken_port_of_the_marketplace_names_a_way_that_works(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code = f"""
from launcher import run
from launcher.errors import OmsError
try:
    run._marketplace_port({{"marketplace_port": {taken.getsockname()[1]}}})
except OmsError as error:
    print(error)
"""
        sentence = run_inside(code, tmp_path).stdout
    assert "OMS_DEMO=0 ./oms run" in sentence and "OMS_PORT" not in sentence


def test_odoo_is_looked_for_where_it_listens(tmp_path):
    code = "from launcher import layout; print(layout.LOCAL_HOST)"
    found = [run_inside(code, tmp_path, OMS_HOST=host).stdout.strip() for host in ("", "0.0.0.0", "192.0.2.1", "::1")]
    assert found == ["127.0.0.1", "127.0.0.1", "192.0.2.1", "[::1]"]


def test_wrong_odoo_home_is_explained(tmp_path):
    result = call("test", "--fast", home=tmp_path, ODOO_HOME=str(tmp_path))
    assert result.returncode == 1
    assert f"ODOO_HOME={tmp_path} holds no Odoo" in result.stderr


def test_other_version_of_odoo_is_refused(tmp_path):
    (tmp_path / "odoo").mkdir()
    (tmp_path / "odoo/release.py").write_text("version_info = (18, 0, 0, FINAL, 0, '')\n")
    result = call("test", "--fast", home=tmp_path, ODOO_HOME=str(tmp_path))
    assert result.returncode == 1
    assert "holds another version of Odoo than 19.0" in result.stderr


def test_full_disk_is_one_sentence_before_anything_is_fetched(tmp_path):
    code = """
from launcher import guard, layout
from launcher.errors import DiskFull
layout.make_folders()
try:
    guard.check_space(2**40)
except DiskFull as error:
    print(error)
"""
    result = run_inside(code, tmp_path)
    assert "are free and 1099511627776 MB are needed" in result.stdout
    assert "OMS_HOME=" in result.stdout


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "no space is left"), (errno.EACCES, "may not be written by user")]
)
def test_errors_of_the_system_become_sentences(tmp_path, number, words):
    code = f"""
from launcher.errors import explain_os_error
print(explain_os_error(OSError({number}, "x", "/some/folder"), "/some/folder"))
"""
    assert words in run_inside(code, tmp_path).stdout


def test_program_that_fills_the_disk_is_reported_as_a_full_disk(tmp_path):
    code = """
from launcher import layout, programs
from launcher.errors import DiskFull
layout.make_folders()
try:
    programs.run(["sh", "-c", "echo tar: No space left on device; exit 2"], "x", "Unpacking")
except DiskFull:
    print("full")
"""
    assert run_inside(code, tmp_path).stdout == "full\n"


def test_missing_package_tells_an_ordinary_user_the_command(tmp_path):
    code = """
from launcher import apt, programs
from launcher.errors import OmsError
programs.is_root = lambda: False
try:
    apt.install(["chromium"], "Chromium")
except OmsError as error:
    print(error)
"""
    assert "sudo apt-get install --no-install-recommends chromium" in run_inside(code, tmp_path).stdout


def test_interrupted_step_leaves_the_old_folder_whole(tmp_path):
    code = """
import os, signal
from launcher import guard, layout
layout.make_folders()
target = layout.HOME / "part"
with guard.building(target) as folder:
    (folder / "file").write_text("old")
if os.fork() == 0:
    with guard.building(target) as folder:
        (folder / "file").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
os.wait()
print((target / "file").read_text())
with guard.building(target) as folder:
    assert not list(folder.iterdir()), "begins empty"
    (folder / "file").write_text("new")
print((target / "file").read_text())
"""
    assert run_inside(code, tmp_path).stdout.split() == ["old", "new"]


def test_lock_stays_taken_until_the_programs_of_a_killed_launcher_are_gone(tmp_path):
    code = """
import os, signal, subprocess, sys
from launcher import guard, layout
layout.make_folders()
with guard.lock("setup"):
    quiet = subprocess.DEVNULL
    child = subprocess.Popen(["sleep", "600"], stdout=quiet, stderr=quiet, pass_fds=guard.held_locks())
    with guard.without_locks():
        assert guard.held_locks() == ()
    print(child.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    child = int(run_inside(code, tmp_path).stdout)
    look = "from launcher import guard, layout; print(guard.is_locked(layout.LOCKS / 'setup'))"
    try:
        assert run_inside(look, tmp_path).stdout == "True\n"
    finally:
        os.kill(child, signal.SIGKILL)
    wait = "from launcher import guard\nwith guard.lock('setup'): print('free')"
    assert run_inside(wait, tmp_path).stdout == "free\n"


DATABASES = """
from launcher import database, guard, layout, template, testing
layout.make_folders()
dropped, there = [], %s
database.names = lambda prefix="": [name for name in there if name.startswith(prefix)]
database.drop = dropped.append
"""


def test_databases_of_a_run_that_was_killed_are_dropped_and_no_others(tmp_path):
    there = ["oms_test_337", "oms_test_337-gw0", "oms_test_337_2", "oms_test_3373"]
    code = DATABASES % there + '(layout.LOCKS / "oms_test_337").touch(); testing._drop_leftovers(); print(dropped)'
    assert run_inside(code, tmp_path).stdout == f"{there[:2]}\n"


def test_templates_of_earlier_states_stay_while_tests_run(tmp_path):
    code = (
        DATABASES % "[]"
        + """
there += [template._prefix("tpl") + state for state in ("old", "new")]
with guard.lock("oms_test_1"):
    template._drop_earlier("host", there[1])
    assert not dropped
template._drop_earlier("host", there[1])
assert dropped == there[:1]
print("as it should")
"""
    )
    assert run_inside(code, tmp_path).stdout == "as it should\n"


def test_server_given_by_its_variables_is_not_started_here(tmp_path):
    code = "from launcher import postgres; print(postgres.is_given(), postgres.is_ready(), postgres.connection())"
    assert run_inside(code, tmp_path, PGHOST="db.example").stdout == "True True {}\n"
    assert run_inside(code, tmp_path).stdout.startswith("False False {'PGHOST'")


def test_socket_folder_is_short_however_deep_the_state_folder_is(tmp_path):
    code = "from launcher import postgres; print(len(str(postgres.socket_folder() / '.s.PGSQL.5432')))"
    assert int(run_inside(code, tmp_path / ("deep/" * 30)).stdout) < 108


def test_program_that_was_started_before_is_up_only_when_it_answers(tmp_path):
    """One that another command started may still be starting, hang or end."""
    code = """
import subprocess, sys
from launcher import layout, server
from launcher.errors import OmsError
layout.make_folders()
silent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
server._remember("odoo", silent, port=1, database="x")
try:
    server.wait_until_answers(None, 1, seconds=0.5)
except OmsError as error:
    print(str(error).partition(" after")[0])
silent.kill()
silent.wait()
try:
    server.wait_until_answers(None, 1, seconds=30)
except OmsError as error:
    print(str(error).partition(" Its")[0])
"""
    lines = run_inside(code, tmp_path).stdout.splitlines()
    assert lines == ["odoo does not answer at http://127.0.0.1:1/web/health", "odoo ended."]


def test_names_are_turned_into_what_pytest_understands(tmp_path):
    code = """
from launcher import testing
print(testing._resolve(["/oms_base"]))
print(testing._resolve(["test_launcher", "-x"]))
print(testing._resolve(["tests/test_launcher.py::test_x"]))
print(testing._resolve(["-k", "hold and not release", "oms_base"]))
print(testing._resolve(["some_behaviour"]))
"""
    assert run_inside(code, tmp_path).stdout.splitlines() == [
        "['addons/oms_base']",
        "['-x', 'tests/test_launcher.py']",
        "['tests/test_launcher.py::test_x']",
        "['-k', 'hold and not release', 'addons/oms_base']",
        "['-k', 'some_behaviour', 'tests', 'addons']",
    ]


def test_template_depends_on_code_but_not_on_tests(tmp_path):
    code = """
from pathlib import Path
from launcher import layout, template
layout.ADDONS = Path(layout.HOME)
addon = layout.ADDONS / "oms_x"
for name in ("__manifest__.py", "models/a.py", "tests/test_a.py", "static/src/a.js"):
    (addon / name).parent.mkdir(parents=True, exist_ok=True)
    (addon / name).write_text("1")
code, bundles = template.addon_digests(), template._bundles_digest()
(addon / "tests/test_a.py").write_text("2")
assert (template.addon_digests(), template._bundles_digest()) == (code, bundles)
(addon / "static/src/a.js").write_text("2")
assert template.addon_digests() == code and template._bundles_digest() != bundles
(addon / "models/a.py").write_text("2")
assert template.addon_digests() != code
print("ok")
"""
    result = run_inside(code, tmp_path)
    assert result.stdout == "ok\n", result.stderr


def test_configuration_of_a_hand_made_installation_finds_the_addons():
    code = """
from odoo.tools import config
config.parse_config(["-c", "odoo.conf"])
print([path for path in config["addons_path"] if path.endswith("/addons")], config["max_cron_threads"])
"""
    env = {key: value for key, value in os.environ.items() if key != "ODOO_RC"}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, check=False, cwd=REPO, env=env, capture_output=True, text=True, timeout=60)
    assert str(REPO / "addons") in result.stdout, result.stderr
    assert result.stdout.strip().endswith(" 2")
