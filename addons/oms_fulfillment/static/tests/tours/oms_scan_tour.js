import { registry } from "@web/core/registry";

/** What a keyboard-wedge scanner does: fast keys and Enter, with nothing in particular in focus. */
function scan(barcode) {
    return {
        content: `scan ${barcode}`,
        trigger: ".o_oms_scan[data-state]",
        run() {
            for (const key of [...barcode, "Enter"]) {
                document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            }
        },
    };
}

function see(state, code) {
    return {
        content: `${state}: ${code}`,
        trigger: `.o_oms_scan[data-state=${state}]:has(.oms_scan_message[data-code=${code}])`,
    };
}

const MOUSE = "6900000000014";
const KEYBOARD = "6900000000021";

registry.category("web_tour.tours").add("oms_scan_tour", {
    url: "/odoo/oms-scan",
    steps: () => [
        { trigger: ".o_oms_scan[data-state=choose] .oms_scan_transfer:contains('SHOP-TOUR')" },
        scan("NOBODY-KNOWS"),
        see("choose", "unknown"),
        scan("SHOP-TOUR"),
        see("pick", "opened"),
        { trigger: ".oms_scan_current:contains('A-2'):contains('Mouse')" },

        // pick: place, wrong article, right articles
        scan("LOC-A-2"),
        see("pick", "at_location"),
        { trigger: ".oms_scan_location.here" },
        scan("6900000000076"),
        see("pick", "wrong_product"),
        scan(MOUSE),
        see("pick", "picked"),
        { trigger: ".oms_scan_current .oms_scan_amount_done:contains('1')" },
        { trigger: ".oms_scan_enter", run: "click" },
        { trigger: ".modal input[name=oms_scan_quantity]", run: "edit 1" },
        { trigger: ".modal .oms_scan_confirm", run: "click" },
        see("pick", "line_done"),
        scan("LOC-A-10"),
        see("pick", "at_location"),
        scan(KEYBOARD),
        see("check", "pick_done"),

        // check: every piece once more
        scan(MOUSE),
        see("check", "checked"),
        scan(MOUSE),
        see("check", "checked"),
        scan(MOUSE),
        see("check", "over_checked"),
        scan(KEYBOARD),
        see("pack", "check_done"),

        // pack and weigh
        scan("BOX-M"),
        see("weigh", "packaging"),
        { trigger: ".oms_scan_weight input", run: "edit 9.5" },
        { trigger: ".oms_scan_footer .primary", run: "click" },
        see("weigh", "weight_off"),
        scan("1.500kg"),
        see("label", "weighed"),

        // label and ship
        { trigger: ".oms_scan_print_label", run: "click" },
        see("ship", "labelled"),
        { trigger: ".oms_scan_waybill" },
        { trigger: ".oms_scan_ship", run: "click" },
        see("choose", "shipped"),
    ],
});
