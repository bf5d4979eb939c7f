"""A real Chromium, driven through its DevTools protocol: what a person does, and what a person sees."""

import base64
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import requests
import websocket

from .limits import lift_memory_limit
from .odoo_server import wait_until

BROWSERS = ("chromium", "google-chrome", "chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


class Browser:
    """One browser window.

    :param width: of the page in pixels; below 600 it behaves as a phone
    """

    def __init__(self, width=1366, height=900):
        self.width, self.height = width, height
        self._call_number = 0

    def __enter__(self):
        program = next(path for path in map(shutil.which, BROWSERS) if path)
        self._profile = tempfile.mkdtemp(prefix="oms_browser_")
        self._process = subprocess.Popen(
            [
                program,
                *FLAGS,
                "--remote-debugging-port=0",  # one that is free: it writes down which
                "--remote-allow-origins=*",
                f"--user-data-dir={self._profile}",
                f"--window-size={self.width},{self.height}",
                "about:blank",
            ],
            preexec_fn=lift_memory_limit,  # noqa: PLW1509  no thread of ours runs while it starts
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def page():
            try:
                port = (Path(self._profile) / "DevToolsActivePort").read_text().split()[0]
                tabs = requests.get(f"http://127.0.0.1:{port}/json", timeout=5).json()
            except (FileNotFoundError, IndexError, requests.RequestException):  # it has not come so far
                return None
            return next((tab for tab in tabs if tab["type"] == "page"), None)

        tab = wait_until(page, "the browser opens", 60)
        self._socket = websocket.create_connection(tab["webSocketDebuggerUrl"], timeout=60)
        self._send(
            "Emulation.setDeviceMetricsOverride",
            width=self.width,
            height=self.height,
            deviceScaleFactor=1,
            mobile=self.width < 600,
        )
        self._send("Page.enable")
        return self

    def __exit__(self, *exc_info):
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)

    def _send(self, method, **parameters):
        self._call_number += 1
        number = self._call_number
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            try:
                answer = json.loads(self._socket.recv())
            except (TimeoutError, websocket.WebSocketTimeoutException) as error:
                raise AssertionError(f"the browser did not answer {method}") from error
            if answer.get("id") == number:
                return answer.get("result", answer)

    def evaluate(self, expression):
        """Return the value of a JavaScript expression in the page (a promise is awaited)."""
        result = self._send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if error := result.get("exceptionDetails") or result.get("error"):  # the latter where the page went away
            raise AssertionError(f"{expression}: {error}")
        return result["result"].get("value")

    def open(self, url):
        """Go to an address and wait until the page is there."""
        self._send("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'", f"{url} loads")

    def log_in(self, base_url, login, password):
        """Log in through the login page."""
        self.open(f"{base_url}/web/login")
        self.fill("input[name=login]", login)
        self.fill("input[name=password]", password)
        self.click("form.oe_login_form button[type=submit]")
        self.wait("!location.pathname.startsWith('/web/login')", f"{login} is logged in")

    def wait(self, expression, what, seconds=120):
        """Wait until a JavaScript expression is true."""
        try:
            return wait_until(lambda: self._try(expression), what, seconds, interval=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\nThe page says:\n{self._try('document.body.innerText')}") from error

    def _try(self, expression):
        try:
            return self.evaluate(expression)
        except AssertionError:  # the page is changing under the expression
            return None

    def see(self, text, seconds=120):
        """Wait until a person can read ``text`` in the page."""
        self.wait(f"document.body && document.body.innerText.includes({json.dumps(text)})", f"see {text!r}", seconds)

    def _find(self, selector, text=None):
        """Return JavaScript that finds the first visible element of a selector, with ``text`` in it if given."""
        return (
            f"[...document.querySelectorAll({json.dumps(selector)})].find(e => e.getClientRects().length"
            f" && (!{json.dumps(text)} || e.innerText.includes({json.dumps(text)})) && !e.disabled)"
        )

    def _do(self, element, action, what):
        """Wait for an element ``e`` and act on it at once: a moment later the page may have drawn another one."""
        self.wait(f"(() => {{ const e = {element}; if (!e) return false; {action} return true; }})()", what)

    def click(self, selector, text=None, inside=None):
        """Click the first visible element of a selector, the one that holds ``text`` if given.

        :param inside: selector of the part of that element to click
        """
        target = f"e.querySelector({json.dumps(inside)})" if inside else "e"
        action = f"{target}.scrollIntoView({{block: 'center'}}); {target}.click();"
        self._do(self._find(selector, text), action, f"{selector} {text or ''} can be clicked")

    def fill(self, selector, value):
        """Type into a field."""
        action = (
            f"e.focus(); e.value = {json.dumps(value)};"
            " e.dispatchEvent(new Event('input', {bubbles: true}));"
            " e.dispatchEvent(new Event('change', {bubbles: true}));"
        )
        self._do(self._find(selector), action, f"{selector} can be filled")

    def choose(self, selector, text):
        """Choose the entry of a browser's own list that reads ``text``."""
        entries = f"[...document.querySelectorAll({json.dumps(f'{selector} option')})]"
        action = (
            "const list = e.closest('select'); list.value = e.value;"
            " list.dispatchEvent(new Event('change', {bubbles: true}));"
        )
        self._do(f"{entries}.find(e => e.text === {json.dumps(text)})", action, f"{text} of {selector} can be chosen")

    def scan(self, code):
        """Send a barcode as a hardware scanner does: key by key, closed by Enter. All in one turn of the page: to the
        web client keys that come late, as they do where the machine is busy, are another barcode."""
        self.evaluate(
            f"for (const key of [...{json.dumps(code)}, 'Enter']) for (const type of ['keydown', 'keyup'])"
            " (document.activeElement || document.body)"
            ".dispatchEvent(new KeyboardEvent(type, {key, bubbles: true, cancelable: true}))"
        )

    def screenshot(self, path):
        """Write what a person sees now to a PNG file."""
        picture = base64.b64decode(self._send("Page.captureScreenshot", format="png")["data"])
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(picture)
