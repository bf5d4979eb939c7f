import { describe, expect, test } from "@odoo/hoot";
import { click, queryAllTexts, queryText } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import {
    contains,
    mountWithCleanup,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { browser } from "@web/core/browser/browser";
import { OmsScanApp } from "@oms_fulfillment/scan_app/scan_app";
import { ScanCheck } from "@oms_fulfillment/scan_app/screens/scan_check";
import { ScanPick } from "@oms_fulfillment/scan_app/screens/scan_pick";
import { ScanWeigh } from "@oms_fulfillment/scan_app/screens/scan_weigh";

describe.current.tags("desktop");

defineMailModels();

const product = (id, values = {}) => ({
    id,
    name: `Product ${id}`,
    variant: "",
    code: `P${id}`,
    barcode: `690000${id}`,
    tracking: "none",
    unit: "",
    image: "",
    ...values,
});

const COMMON = {
    transfer: {
        id: 7,
        name: "OUT/7",
        origin: "S1",
        partner: "Zhang",
        carrier: "",
        note: "",
        destination: "",
    },
    outgoing: true,
    picked: 1,
    to_pick: 4,
    checked: 0,
    parcels: [],
    supervisor: false,
};

const PICK = {
    ...COMMON,
    lines: [
        {
            id: 1,
            location: { id: 11, name: "A-2" },
            product: product(1),
            lot: false,
            package: "",
            done: 1,
            todo: 3,
            problem: false,
        },
        {
            id: 2,
            location: { id: 12, name: "A-10" },
            product: product(2),
            lot: false,
            package: "",
            done: 0,
            todo: 1,
            problem: false,
        },
    ],
    current_id: 1,
    at: false,
    lot_wanted: false,
    scan_location: false,
};

function mountScreen(Screen, data) {
    const call = (method, args) => expect.step([method, args]);
    return mountWithCleanup(Screen, { props: { data, call, ask: (body, confirm) => confirm() } });
}

test("pick: where to go, how many, what is next", async () => {
    await mountScreen(ScanPick, PICK);
    expect(".oms_scan_current .oms_scan_location").toHaveText("A-2");
    expect(".oms_scan_current .oms_scan_amount_done").toHaveText("1");
    expect(".oms_scan_current .oms_scan_amount_todo").toHaveText("/ 3");
    expect(".oms_scan_prompt").toHaveText("Scan the item");
    expect(queryAllTexts(".oms_scan_rest .oms_scan_row_location")).toEqual(["A-10"]);
    await click(".oms_scan_rest .oms_scan_row");
    expect.verifySteps([["scan_select_line", { line_id: 2 }]]);
});

test("pick: the prompt asks for the place or the lot", async () => {
    await mountScreen(ScanPick, { ...PICK, scan_location: true });
    expect(".oms_scan_prompt").toHaveText("Scan the location");
});

test("pick: a lot is wanted", async () => {
    await mountScreen(ScanPick, { ...PICK, lot_wanted: { id: 1, name: "Product 1" } });
    expect(".oms_scan_prompt").toHaveText("Scan the lot or serial number");
    expect(".oms_scan_prompt").toHaveClass("lot");
});

test("pick: a problem is reported with a quantity", async () => {
    await mountScreen(ScanPick, PICK);
    await contains(".oms_scan_problem").click();
    await contains("input[name=oms_scan_quantity]").edit("1", { confirm: false });
    await contains(".oms_scan_choice_damaged").click();
    expect.verifySteps([["scan_report_problem", { line_id: 1, kind: "damaged", quantity: 1 }]]);
});

test("check: what is left comes first, finished rows are marked", async () => {
    await mountScreen(ScanCheck, {
        ...COMMON,
        picked: 3,
        checked: 2,
        parcel: false,
        lot_wanted: false,
        lines: [
            { id: "1-0", product: product(1), lot: false, done: 2, todo: 2, manual: false },
            { id: "2-0", product: product(2), lot: false, done: 0, todo: 1, manual: true },
        ],
    });
    expect(queryAllTexts(".oms_scan_product_name")).toEqual(["Product 2", "Product 1"]);
    expect(".oms_scan_row.done").toHaveCount(1);
    expect(".oms_scan_row .oms_scan_button").toHaveCount(1, {
        message: "only articles without barcode are counted",
    });
    expect(".oms_scan_close_parcel").not.toBeEnabled();
});

test("weigh: a weight out of tolerance is accepted by managers only", async () => {
    const parcel = {
        id: 1,
        name: "OUT/7-P1",
        pieces: 3,
        packaging: false,
        expected: 1.5,
        gross: 2,
        weight_check: "off",
        waybill: "",
        carrier: "",
    };
    await mountScreen(ScanWeigh, { ...COMMON, parcel });
    expect(".oms_scan_difference").toHaveText("+0.500 kg");
    expect(".oms_scan_accept").toHaveCount(0);
    await contains("input[name=oms_scan_weight]").edit("1.502", { confirm: "Enter" });
    expect.verifySteps([["scan_barcode", { barcode: "1.502" }]]);
});

test("label: a waybill that can't be made is told, not printed", async () => {
    const answers = [
        new Response("no", { status: 500 }),
        new Response("login", { headers: { "Content-Type": "text/html" } }),
        new Response("%PDF", { headers: { "Content-Type": "application/pdf" } }),
    ];
    patchWithCleanup(browser, {
        async fetch(url) {
            return String(url).startsWith("/report/") ? answers.shift() : super.fetch(...arguments);
        },
    });
    patchWithCleanup(OmsScanApp.prototype, { onPrintLoaded() {} });
    const message = {
        code: "labelled",
        level: "success",
        text: "Ready",
        print_url: "/report/pdf/x/1",
    };
    const answer = { state: "label", data: { ...COMMON, parcels: [] }, message };
    onRpc("oms.scan.session", "scan_start", () => ({ ...answer, message: null }));
    onRpc("oms.scan.session", "scan_print_label", () => answer);
    await mountWithCleanup(OmsScanApp, { props: { action: {}, actionId: 1, className: "" } });
    await animationFrame();
    for (const level of ["danger", "danger", "success"]) {
        await contains(".oms_scan_print_label").click();
        await animationFrame();
        await animationFrame();
        expect(".oms_scan_message").toHaveClass(`oms_${level}`);
        expect(".oms_scan_print").toHaveCount(level === "success" ? 1 : 0);
    }
});

test("the app shows what the server answers and repeats nothing by itself", async () => {
    onRpc("oms.scan.session", "scan_start", ({ kwargs }) => {
        expect(kwargs.uuid.length).toBe(32);
        return { state: "pick", data: PICK, message: null };
    });
    onRpc("oms.scan.session", "scan_barcode", ({ kwargs }) => {
        expect.step(`${kwargs.barcode} for ${kwargs.picking_id}`);
        const message = { code: "wrong_product", level: "danger", text: "WRONG ITEM" };
        return { state: "pick", data: PICK, message };
    });
    await mountWithCleanup(OmsScanApp, { props: { action: {}, actionId: 1, className: "" } });
    await animationFrame();
    expect(".o_oms_scan").toHaveAttribute("data-state", "pick");
    expect(queryText(".oms_scan_title")).toBe("OUT/7");
    await contains(".oms_scan_keyboard").click();
    await contains("input[name=oms_scan_barcode]").edit("690000999", { confirm: "Enter" });
    await animationFrame();
    expect.verifySteps(["690000999 for 7"]);
    expect(".oms_scan_message.oms_danger").toHaveText("WRONG ITEM");
    expect(".o_oms_scan").toHaveClass("oms_level_danger");
});
