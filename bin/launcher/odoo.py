"""Calling Odoo: its configuration file, and the runs that end by themselves (install, update, a script)."""

from . import guard, layout, programs, python_env


def configuration(name="odoo", **options):
    """Write a configuration file of ours and return its path.

    Generated, because the paths are absolute and a variable that is not set becomes a folder of that name.
    """
    settings = {
        "addons_path": layout.ADDONS,
        "data_dir": layout.DATA,
        "http_interface": layout.HOST,
        "list_db": False,
        "server_wide_modules": "base,rpc,web",
        **options,
    }
    path = layout.CONF / f"{name}.conf"
    guard.write(path, "[options]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    return path


def environment(**extra):
    """The environment to call Odoo with: like every program's, and with our configuration file."""
    return layout.environment(ODOO_RC=configuration(), **extra)


def install(database, modules, what, *options):
    """Install modules into a database, which is created when there is none."""
    _run(["-d", database, "-i", ",".join(modules), *options], what)


def update(database, modules, what):
    """Update modules after their code changed."""
    _run(["-d", database, "-u", ",".join(modules)], what)


def _run(arguments, what):
    command = [python_env.odoo(), *arguments, "--stop-after-init", "--no-http", "--log-level=warn"]
    programs.run(command, "install", what, env=environment())


def run_script(database, script, what, **variables):
    """Run a Python script in Odoo's shell on a database; the script has ``env`` and commits itself."""
    command = [python_env.odoo(), "shell", "-d", database, "--no-http", "--log-level=warn"]
    env = environment(PYTHONPATH=script.parent, **variables)
    programs.run(command, script.stem, what, env=env, stdin=script.read_text())
