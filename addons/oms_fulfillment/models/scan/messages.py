"""Every sentence the scanning app says, in one place: level -> code -> text.

The level decides colour, sound and vibration on the device: "success", "info", "warning", "danger".
"""

from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

MESSAGES = {
    "success": {
        "opened": _lt("%(transfer)s: %(quantity)s to pick."),
        "picked": _lt("%(product)s: %(done)s of %(todo)s"),
        "line_done": _lt("%(product)s complete."),
        "pick_done": _lt("All picked."),
        "checked": _lt("%(product)s: %(done)s of %(todo)s checked"),
        "check_done": _lt("All checked."),
        "parcel_closed": _lt("%(parcel)s closed."),
        "packaging": _lt("Packaging: %(packaging)s. Put the parcel on the scale."),
        "weighed": _lt("%(parcel)s: %(gross)s kg."),
        "labelled": _lt("Waybill ready: stick it on the parcel."),
        "shipped": _lt("%(transfer)s shipped."),
        "finished": _lt("%(transfer)s finished."),
        "backorder": _lt("%(transfer)s shipped, the rest follows as %(backorder)s."),
    },
    "info": {
        "resumed": _lt("%(transfer)s: go on where you stopped."),
        "taken_over": _lt("%(transfer)s is yours now."),
        "put_aside": _lt("%(transfer)s is back in the list."),
        "several": _lt("%(count)s transfers match: choose one."),
        "at_location": _lt("At %(location)s."),
        "scan_lot": _lt("%(product)s: now scan the lot or serial number."),
        "parcel_emptied": _lt("%(parcel)s is empty again: scan every piece once more."),
        "rerouted": _lt("Take %(product)s from %(location)s instead."),
        "undone": _lt("Taken back: %(quantity)s of %(product)s."),
        "nothing_to_undo": _lt("There is nothing to take back."),
    },
    "warning": {
        "finish_first": _lt("Finish %(transfer)s or put it aside first."),
        "no_transfer": _lt("Choose a transfer first."),
        "stale": _lt("This transfer is no longer open here. Choose again."),
        "location_first": _lt("Scan the location %(location)s first."),
        "other_lot": _lt("%(product)s: lot %(lot)s taken instead of %(expected)s."),
        "scan_once": _lt("Scan one piece of %(product)s first, then enter the quantity."),
        "line_gone": _lt("This line has changed. Look again."),
        "must_scan": _lt("%(product)s has a barcode: scan every piece."),
        "empty_parcel": _lt("Put something into the parcel first."),
        "weight_accepted": _lt("%(parcel)s: weight accepted by %(user)s."),
        "not_done_yet": _lt("%(transfer)s is not complete yet."),
        "needs_answer": _lt("%(transfer)s: answer the question first."),
        "problem": _lt("Noted: %(quantity)s of %(product)s missing."),
        "damaged": _lt("Noted: %(quantity)s of %(product)s damaged."),
        "undo_packed": _lt("The parcel is closed already: open it first."),
    },
    "danger": {
        "taken": _lt("%(transfer)s is with %(user)s."),
        "unknown": _lt("Unknown barcode: %(barcode)s"),
        "not_ready": _lt("%(transfer)s is not ready: %(state)s."),
        "other_warehouse": _lt("%(transfer)s belongs to %(warehouse)s."),
        "no_warehouse": _lt("You have no warehouse: ask an administrator for one."),
        "wrong_product": _lt("WRONG ITEM: %(product)s is not in this transfer."),
        "too_many": _lt("TOO MANY: %(todo)s of %(product)s are wanted."),
        "all_picked": _lt("TOO MANY: all of %(product)s is picked already."),
        "wrong_location": _lt("WRONG PLACE: nothing to take from %(location)s."),
        "elsewhere": _lt("WRONG PLACE: take %(product)s from %(location)s."),
        "wrong_lot": _lt("WRONG LOT: there is no %(lot)s of %(product)s at %(location)s."),
        "expired_lot": _lt("EXPIRED: lot %(lot)s of %(product)s must not leave."),
        "serial_twice": _lt("Serial number %(lot)s is scanned already."),
        "serial_one": _lt("Scan each serial number of %(product)s by itself."),
        "bad_quantity": _lt("This is not a quantity of %(product)s: %(quantity)s."),
        "not_picked": _lt("WRONG ITEM: %(product)s was not picked for this transfer."),
        "over_checked": _lt("TOO MANY: all of %(product)s is in a parcel already."),
        "lot_not_picked": _lt("WRONG LOT: lot %(lot)s of %(product)s was not picked."),
        "bad_weight": _lt("This is not a weight: %(weight)s"),
        "weight_off": _lt("WEIGHT: %(gross)s kg instead of %(expected)s kg. Check what is inside."),
        "nothing_picked": _lt("Nothing was picked for %(transfer)s: put it aside."),
        "supervisor": _lt("Only an OMS manager may do this."),
    },
}

_LEVELS = {code: level for level, texts in MESSAGES.items() for code in texts}


class ScanRefused(UserError):
    """A rule said no. Whatever the call had written is rolled back; the refusal itself is logged.

    :param str code: key of MESSAGES
    :param dict params: what the sentence needs
    :param dict log: values of `oms.scan.log` that tell what was refused
    """

    def __init__(self, code, params=None, log=None):
        super().__init__(code)
        self.code = code
        self.params = params or {}
        self.log = log or {}


def get_message(env, code, **params):
    """Return the message ``code`` as the device shows it.

    :return: {"code": str, "level": "success" | "info" | "warning" | "danger", "text": str}
    """
    level = _LEVELS[code]
    template = MESSAGES[level][code]._translate(env.lang or "en_US")
    return {"code": code, "level": level, "text": template % params}
