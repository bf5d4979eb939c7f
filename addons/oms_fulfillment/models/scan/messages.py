"""Every sentence the scanning app says, in one place: code -> (level, text).

The level decides colour, sound and vibration on the device: "success", "info", "warning", "danger".
"""

from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

MESSAGES = {
    # choosing
    "opened": ("success", _lt("%(transfer)s: %(quantity)s to pick.")),
    "resumed": ("info", _lt("%(transfer)s: go on where you stopped.")),
    "taken_over": ("info", _lt("%(transfer)s is yours now.")),
    "put_aside": ("info", _lt("%(transfer)s is back in the list.")),
    "taken": ("danger", _lt("%(transfer)s is with %(user)s.")),
    "unknown": ("danger", _lt("Unknown barcode: %(barcode)s")),
    "not_ready": ("danger", _lt("%(transfer)s is not ready: %(state)s.")),
    "other_warehouse": ("danger", _lt("%(transfer)s belongs to %(warehouse)s.")),
    "several": ("info", _lt("%(count)s transfers match: choose one.")),
    "finish_first": ("warning", _lt("Finish %(transfer)s or put it aside first.")),
    "no_transfer": ("warning", _lt("Choose a transfer first.")),
    "stale": ("warning", _lt("This transfer is no longer open here. Choose again.")),
    "no_warehouse": ("danger", _lt("You have no warehouse: ask an administrator for one.")),
    # picking
    "picked": ("success", _lt("%(product)s: %(done)s of %(todo)s")),
    "line_done": ("success", _lt("%(product)s complete.")),
    "pick_done": ("success", _lt("All picked.")),
    "wrong_product": ("danger", _lt("WRONG ITEM: %(product)s is not in this transfer.")),
    "too_many": ("danger", _lt("TOO MANY: %(todo)s of %(product)s are wanted.")),
    "all_picked": ("danger", _lt("TOO MANY: all of %(product)s is picked already.")),
    "at_location": ("info", _lt("At %(location)s.")),
    "wrong_location": ("danger", _lt("WRONG PLACE: nothing to take from %(location)s.")),
    "location_first": ("warning", _lt("Scan the location %(location)s first.")),
    "elsewhere": ("danger", _lt("WRONG PLACE: take %(product)s from %(location)s.")),
    "scan_lot": ("info", _lt("%(product)s: now scan the lot or serial number.")),
    "other_lot": ("warning", _lt("%(product)s: lot %(lot)s taken instead of %(expected)s.")),
    "wrong_lot": ("danger", _lt("WRONG LOT: there is no %(lot)s of %(product)s at %(location)s.")),
    "expired_lot": ("danger", _lt("EXPIRED: lot %(lot)s of %(product)s must not leave.")),
    "serial_twice": ("danger", _lt("Serial number %(lot)s is scanned already.")),
    "serial_one": ("danger", _lt("Scan each serial number of %(product)s by itself.")),
    "bad_quantity": ("danger", _lt("This is not a quantity of %(product)s: %(quantity)s.")),
    "scan_once": ("warning", _lt("Scan one piece of %(product)s first, then enter the quantity.")),
    "line_gone": ("warning", _lt("This line has changed. Look again.")),
    # checking and packing
    "checked": ("success", _lt("%(product)s: %(done)s of %(todo)s checked")),
    "check_done": ("success", _lt("All checked.")),
    "not_picked": ("danger", _lt("WRONG ITEM: %(product)s was not picked for this transfer.")),
    "over_checked": ("danger", _lt("TOO MANY: all of %(product)s is in a parcel already.")),
    "lot_not_picked": ("danger", _lt("WRONG LOT: lot %(lot)s of %(product)s was not picked.")),
    "must_scan": ("warning", _lt("%(product)s has a barcode: scan every piece.")),
    "empty_parcel": ("warning", _lt("Put something into the parcel first.")),
    "parcel_emptied": ("info", _lt("%(parcel)s is empty again: scan every piece once more.")),
    "parcel_closed": ("success", _lt("%(parcel)s closed.")),
    "packaging": ("success", _lt("Packaging: %(packaging)s. Put the parcel on the scale.")),
    "bad_weight": ("danger", _lt("This is not a weight: %(weight)s")),
    "weight_off": ("danger", _lt("WEIGHT: %(gross)s kg instead of %(expected)s kg. Check what is inside.")),
    "weight_accepted": ("warning", _lt("%(parcel)s: weight accepted by %(user)s.")),
    "weighed": ("success", _lt("%(parcel)s: %(gross)s kg.")),
    # shipping
    "labelled": ("success", _lt("Waybill ready: stick it on the parcel.")),
    "shipped": ("success", _lt("%(transfer)s shipped.")),
    "finished": ("success", _lt("%(transfer)s finished.")),
    "backorder": ("success", _lt("%(transfer)s shipped, the rest follows as %(backorder)s.")),
    "nothing_picked": ("danger", _lt("Nothing was picked for %(transfer)s: put it aside.")),
    "not_done_yet": ("warning", _lt("%(transfer)s is not complete yet.")),
    "needs_answer": ("warning", _lt("%(transfer)s: answer the question first.")),
    # problems and undo
    "problem": ("warning", _lt("Noted: %(quantity)s of %(product)s missing.")),
    "damaged": ("warning", _lt("Noted: %(quantity)s of %(product)s damaged.")),
    "rerouted": ("info", _lt("Take %(product)s from %(location)s instead.")),
    "undone": ("info", _lt("Taken back: %(quantity)s of %(product)s.")),
    "nothing_to_undo": ("info", _lt("There is nothing to take back.")),
    "undo_packed": ("warning", _lt("The parcel is closed already: open it first.")),
    # anything else
    "refused": ("danger", _lt("%(reason)s")),
    "supervisor": ("danger", _lt("Only an OMS manager may do this.")),
}


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
    level, template = MESSAGES[code]
    return {"code": code, "level": level, "text": env._(template) % params}
