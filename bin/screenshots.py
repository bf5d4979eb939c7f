"""Takes the pictures of docs/screenshots from a running living example.

    ./oms run
    PYTHONPATH=tests python bin/screenshots.py http://127.0.0.1:8069 [name ...]

Run it with the Python of the tests (``./oms test`` makes it); it needs Chromium, pdftoppm and Pillow. It looks for
orders that show something. It changes nothing but a language, which it puts back, deletes the rule and the rehearsal it
makes, likewise a trial, and leaves the scanning session.
"""

import io
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
from PIL import Image

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "tests"))

from servers.browser import Browser

FOLDER = REPO / "docs" / "screenshots"
DESKTOP, PHONE = (1366, 850), (412, 880)
COLOURS = 128


class Example:
    """The running Odoo: looks for records to show, by the web client's own calls.

    :param base: its address
    :param login: whose password is the login, as in the living example
    """

    def __init__(self, base, login="admin"):
        self.base = base.rstrip("/")
        self._session = requests.Session()
        page = self._session.get(f"{self.base}/web/login", timeout=120).text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        data = {"login": login, "password": login, "csrf_token": token}
        self._session.post(f"{self.base}/web/login", data=data, timeout=60).raise_for_status()
        for asset in re.findall(r'"(/web/assets/[^"]+)"', self.download("/odoo").decode()):
            self.download(asset)  # one after the other: a browser that asks for all at once may meet them half made

    def call(self, model, method, *args, **kwargs):
        """Call a public method and return its result."""
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        answer = self._session.post(f"{self.base}/web/dataset/call_kw", json={"params": params}, timeout=120).json()
        if "error" in answer:
            raise SystemExit(f"{model}.{method}: {answer['error']['data']['message']}")
        return answer["result"]

    def find(self, model, *domains):
        """Return the id of the newest record of the first domain that has one."""
        for domain in domains:
            if ids := self.call(model, "search", domain, limit=1, order="id desc"):
                return ids[0]
        raise SystemExit(f"The example has no {model} to show yet; give it a minute.")

    def download(self, path):
        """Return what an address of the example answers."""
        response = self._session.get(self.base + path, timeout=120)
        response.raise_for_status()
        return response.content


def save(picture, name):
    """Write a picture with a palette of its own: a third of the size, and no eye sees it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.png"
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(REPO)}  {path.stat().st_size // 1024} kB")


class Camera:
    """A browser in which somebody is logged in."""

    def __init__(self, example, login, size=DESKTOP):
        self._example, self._login, self._browser = example, login, Browser(*size)

    def __enter__(self):
        self._browser.__enter__()
        self._browser.log_in(self._example.base, self._login, self._login)
        return self

    def __exit__(self, *exc_info):
        self._browser.__exit__(*exc_info)

    def show(self, path, selector):
        """Go to a screen and wait until it is drawn."""
        self._browser.open(self._example.base + path)
        self._browser.wait(f"!!document.querySelector({json.dumps(selector)})", f"{path} shows {selector}")
        return self

    def click(self, selector, text=None):
        self._browser.click(selector, text)
        return self

    def scan(self, code):
        """Scan a transfer and wait until the work on it is shown."""
        self._browser.scan(code)
        self._browser.wait("document.querySelector('.o_oms_scan').dataset.state === 'pick'", f"{code} is picked")
        return self

    def scroll_to(self, selector, text=None):
        """Bring an element to the top of what scrolls around it."""
        elements = f"[...document.querySelectorAll({json.dumps(selector)})]"
        find = f"{elements}.find(e => e.innerText.includes({json.dumps(text or '')}))"
        self._browser.wait(f"!!{find}", f"see {selector}")
        self._browser.evaluate(f"{find}.scrollIntoView()")
        # What sticks to the top of a form would cover it.
        self._browser.evaluate("document.querySelector('.o_content').scrollBy(0, -64)")
        return self

    def take(self, name):
        """Take the picture when images are loaded and nothing moves any more."""
        self._browser.wait("[...document.images].every(image => image.complete)", "images are loaded")
        time.sleep(1.5)
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            self._browser.screenshot(file.name)
            save(Image.open(file.name), name)
        return self


def take_office(example):
    order = example.find(
        "sale.order",
        [("oms_stage", "=", "returning"), ("oms_allocation_ids", "!=", False)],
        [("oms_stage", "in", ["shipped", "delivered", "done"]), ("channel_id", "!=", False)],
    )
    parcel = example.find("oms.parcel", [("state", "=", "delivered")], [("state", "=", "shipped")], [])
    oms_return = example.find("oms.return", [("state", "=", "received")], [("state", "=", "approved")], [])
    with Camera(example, "admin") as camera:
        camera.show("/odoo/oms", ".o_oms_overview_section").take("overview")
        camera.show("/odoo/oms-orders", ".o_kanban_record").take("orders")
        camera.show(f"/odoo/oms-orders/{order}", ".o_form_view .nav-link")
        camera.click(".nav-link", "Order Life").scroll_to(".nav-link", "Order Life").take("order_life")
        camera.show("/odoo/action-oms_base.oms_hold_action", ".o_list_view .o_data_row, .o_group_header")
        camera.click(".o_group_header").take("holds")
        camera.show("/odoo/action-oms_channels.oms_channel_message_action", ".o_data_row").take("inbox")
        camera.show("/odoo/action-oms_base.oms_channel_action", ".o_kanban_record").take("channels")
        camera.show(f"/odoo/oms-parcels/{parcel}", ".o_form_view").take("parcel")
        camera.show(f"/odoo/oms-returns/{oms_return}", ".o_form_view").take("return")


def take_review(example):
    """The desk, and the rehearsal of a draft; both are deleted again."""
    hold_type = example.find("oms.hold.type", [("code", "=", "manual")])
    action = {"type": "hold", "hold_type_id": hold_type}
    values = {"name": "Large orders", "domain": "[('amount_total', '>', 500)]", "action_ids": [[0, 0, action]]}
    rule = example.call("oms.rule", "create", values)
    rehearsal = example.call("oms.rehearsal", "create", {"rule_ids": [[6, 0, [rule]]], "days": 30})
    try:
        example.call("oms.rehearsal", "action_start", [rehearsal])
        for _second in range(120):
            if example.call("oms.rehearsal", "read", [rehearsal], ["state"])[0]["state"] in ("done", "failed"):
                break
            time.sleep(1)
        with Camera(example, "admin") as camera:
            camera.show("/odoo/oms-desk", ".o_oms_review_desk, .o_oms_desk").take("review_desk")
            camera.show(f"/odoo/oms-rehearsals/{rehearsal}", ".o_form_view").take("rehearsal")
    finally:
        example.call("oms.rehearsal", "unlink", [rehearsal])
        example.call("oms.rule", "unlink", [rule])


def take_sourcing(example):
    order = example.find(
        "sale.order", [("oms_stage", "=", "ready"), ("oms_allocation_ids", "any", [("distance_km", ">", 0)])]
    )
    strategy = example.find("oms.sourcing.strategy", [("rule_ids", "!=", False)], [])
    trial = example.call("oms.sourcing.trial", "create", {"strategy_id": strategy, "days": 3})
    example.call("oms.sourcing.trial", "action_start", [trial])
    while example.call("oms.sourcing.trial", "read", [trial], ["state"])[0]["state"] == "running":
        time.sleep(1)
    with Camera(example, "admin") as camera:
        camera.show(f"/odoo/oms-sourcing-trials/{trial}", ".o_oms_rehearsal_chart canvas").take("sourcing_trial")
        camera.show(f"/odoo/oms-orders/{order}", ".o_form_view .nav-link")
        camera.click(".nav-link", "Allocation").scroll_to(".nav-link", "Allocation").take("allocation_why")
        camera.show("/odoo/action-oms_allocation.oms_sellable_action", ".o_data_row").take("sellable")
    example.call("oms.sourcing.trial", "unlink", [trial])


def take_scanning(example):
    picker = Example(example.base, "picker")
    free = [
        ("state", "=", "assigned"),
        ("picking_type_code", "=", "outgoing"),
        ("oms_parcel_ids", "=", False),
        ("move_line_ids", "not any", [("picked", "=", True)]),  # nobody is at work on it
    ]
    transfer = picker.call("stock.picking", "search_read", free, ["name"], limit=1)
    with Camera(example, "picker", PHONE) as camera:
        camera.show("/odoo/oms-scan", ".o_oms_scan").take("scan_list")
        if transfer:
            camera.scan(transfer[0]["name"]).take("scan_picking")
            picker.call("oms.scan.session", "scan_put_aside", uuid=f"screenshots-{time.time()}")


def take_label(example):
    parcel = example.find("oms.parcel", [("waybill_state", "=", "assigned"), ("state", "=", "shipped")], [])
    document = example.download(f"/report/pdf/oms_fulfillment.report_waybill_document/{parcel}")
    command = ["pdftoppm", "-png", "-r", "130", "-f", "1", "-l", "1", "-"]
    page = subprocess.run(command, input=document, capture_output=True, check=True).stdout
    save(Image.open(io.BytesIO(page)), "label")


def take_portal(example):
    oms_return = example.find("oms.return", [("state", "=", "approved")], [])
    url = example.call("oms.return", "get_portal_url", [oms_return])
    with Camera(example, "admin") as camera:
        camera.show(url, "main").take("portal_return")


def take_chinese(example):
    user = example.find("res.users", [("login", "=", "manager")])
    language = example.call("res.users", "read", [user], ["lang"])[0]["lang"]
    example.call("res.users", "write", [user], {"lang": "zh_CN"})
    try:
        with Camera(example, "manager") as camera:
            camera.show("/odoo/oms", ".o_oms_overview_section").take("overview_zh")
    finally:
        example.call("res.users", "write", [user], {"lang": language})


SERIES = {
    "office": take_office,
    "review": take_review,
    "sourcing": take_sourcing,
    "scanning": take_scanning,
    "label": take_label,
    "portal": take_portal,
    "chinese": take_chinese,
}


def main(base, *names):
    example = Example(base)
    for name in names or SERIES:
        SERIES[name](example)


if __name__ == "__main__":
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= set(SERIES):
        raise SystemExit(f"{__doc__}\n    names: {' '.join(SERIES)}")
    main(*sys.argv[1:])
