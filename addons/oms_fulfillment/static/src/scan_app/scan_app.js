import { Component, onMounted, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { isBarcodeScannerSupported } from "@web/core/barcode/barcode_video_scanner";
import { scanBarcode } from "@web/core/barcode/barcode_dialog";
import { isMobileOS } from "@web/core/browser/feature_detection";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useAutofocus, useBus, useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";
import { ScanFeedback } from "./scan_feedback";
import { makeScanQueue } from "./scan_service";
import { formatPieces, getShare } from "./scan_utils";
import { ScanCheck } from "./screens/scan_check";
import { ScanChoose } from "./screens/scan_choose";
import { ScanLabel } from "./screens/scan_label";
import { ScanPack } from "./screens/scan_pack";
import { ScanPick } from "./screens/scan_pick";
import { ScanShip } from "./screens/scan_ship";
import { ScanWeigh } from "./screens/scan_weigh";

const SCREENS = {
    choose: ScanChoose,
    pick: ScanPick,
    check: ScanCheck,
    pack: ScanPack,
    weigh: ScanWeigh,
    label: ScanLabel,
    ship: ScanShip,
};

/**
 * The scanning app. The server says in which state the work is and what to show; a scan or a button is a call, its
 * answer {state, data, message} is the next screen. No rule lives here.
 */
export class OmsScanApp extends Component {
    static template = "oms_fulfillment.ScanApp";
    static props = { ...standardActionServiceProps };

    setup() {
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.notification = useService("notification");
        this.barcode = useService("barcode");
        this.feedback = new ScanFeedback();
        this.state = useState({
            name: null,
            data: {},
            message: null,
            stamp: 0, // a new one for each answer restarts the animation of the message
            waiting: 0,
            offline: false,
            typing: false,
            menu: false,
            muted: this.feedback.muted,
            printUrl: null,
        });
        this.queue = makeScanQueue({
            bind: (call) => (call.bound ? { picking_id: this.transfer?.id || false } : {}),
            onAnswer: (answer) => this.onAnswer(answer),
            onError: (error) => this.onError(error),
            onChange: () => this.onQueueChange(),
        });
        useAutofocus({ refName: "input", mobile: true });
        this.hasCamera = isBarcodeScannerSupported();
        useBus(this.barcode.bus, "barcode_scanned", (ev) => this.scan(ev.detail.barcode));
        // what a reload or a flat battery left unsent goes first
        onMounted(() => this.call("scan_start", {}, false));
    }

    // --- what is shown ---

    get screen() {
        return SCREENS[this.state.name];
    }

    get transfer() {
        return this.state.data.transfer;
    }

    get title() {
        return this.transfer ? this.transfer.name : this.state.data.warehouse?.name || "";
    }

    get subtitle() {
        if (!this.transfer) {
            return this.state.data.user || "";
        }
        return [this.transfer.origin, this.transfer.partner].filter(Boolean).join(" · ");
    }

    get backTitle() {
        return this.transfer ? _t("Put aside") : _t("Leave the app");
    }

    get steps() {
        const names = {
            pick: _t("Pick"),
            check: _t("Check"),
            pack: _t("Pack"),
            weigh: _t("Weigh"),
            label: _t("Label"),
            ship: _t("Ship"),
        };
        const keys = this.state.data.outgoing ? Object.keys(names) : ["pick", "ship"];
        const current = keys.indexOf(this.state.name);
        return keys.map((key, index) => ({
            key,
            name: key === "ship" && !this.state.data.outgoing ? _t("Finish") : names[key],
            status: index < current ? "done" : index === current ? "current" : "todo",
        }));
    }

    /** Of all pieces to be handled: each is picked and, for deliveries, checked. */
    get progress() {
        const { picked, checked, to_pick, outgoing } = this.state.data;
        return outgoing ? getShare(picked + checked, 2 * to_pick) : getShare(picked, to_pick);
    }

    get progressText() {
        if (["label", "ship"].includes(this.state.name)) {
            return "";
        }
        const { picked, checked, to_pick } = this.state.data;
        const done = this.state.name === "pick" ? picked : checked;
        const total = this.state.name === "pick" ? to_pick : picked;
        return `${formatPieces(done)} / ${formatPieces(total)}`;
    }

    get offlineText() {
        return _t(
            "No connection. %s waiting: nothing is lost, go on scanning.",
            this.state.waiting
        );
    }

    get icon() {
        return {
            success: "fa-check-circle",
            info: "fa-info-circle",
            warning: "fa-exclamation-circle",
            danger: "fa-times-circle",
        }[this.state.message?.level];
    }

    // --- talking to the server ---

    /** @param {boolean} bound whether the call is only meant for the transfer on the screen */
    call(method, args = {}, bound = true) {
        this.state.menu = false;
        this.queue.push(method, args, bound);
    }

    onAnswer({ state, data, message }) {
        Object.assign(this.state, { name: state, data, message, stamp: this.state.stamp + 1 });
        this.feedback.give(message);
        if (message?.print_url) {
            this.print(message.print_url);
        }
        if (message?.dialog) {
            this.action.doAction(message.dialog, {
                onClose: () => this.call("scan_start", {}, false),
            });
        }
        if (message?.action) {
            this.action.doAction(message.action);
        }
    }

    onError(error) {
        const text = error.data?.message || error.message;
        this.state.message = { code: "error", level: "danger", text };
        this.state.stamp++;
        this.feedback.give(this.state.message);
    }

    onQueueChange() {
        this.state.waiting = this.queue.length;
        this.state.offline = this.queue.offline;
    }

    // --- what the operator does ---

    scan(barcode) {
        if (/^O(BT|CD)/.test(barcode)) {
            return; // a command barcode: Odoo clicks the button it names
        }
        this.call("scan_barcode", { barcode });
    }

    onTyped(ev) {
        if (ev.key === "Enter" && ev.target.value.trim()) {
            this.scan(ev.target.value.trim());
            ev.target.value = "";
            if (isMobileOS()) {
                this.state.typing = false;
            }
        } else if (ev.key === "Escape") {
            this.state.typing = false;
        }
    }

    async openCamera() {
        try {
            this.scan(await scanBarcode(this.env));
        } catch (error) {
            this.notification.add(error.message, { type: "warning" });
        }
    }

    /** A PC prints at once, silently if its browser is set so; a phone opens the PDF. */
    async print(url) {
        if (isMobileOS()) {
            browser.open(url, "_blank");
            return;
        }
        const page = await this.fetchPdf(url);
        if (!page) {
            this.onError(new Error(_t("The waybill could not be made. Print it again.")));
            return;
        }
        URL.revokeObjectURL(this.state.printUrl);
        this.state.printUrl = URL.createObjectURL(page); // a new one each time: the same waybill may be printed twice
    }

    /** The PDF, or nothing: an error page must not come out of the label printer. */
    async fetchPdf(url) {
        try {
            const response = await browser.fetch(url);
            const type = response.headers.get("Content-Type") || "";
            return response.ok && type.startsWith("application/pdf") ? await response.blob() : null;
        } catch {
            return null;
        }
    }

    onPrintLoaded(ev) {
        ev.target.contentWindow?.print?.();
    }

    putAside() {
        this.call("scan_put_aside");
    }

    leave() {
        this.action.doAction("oms_base.oms_overview_action", { clearBreadcrumbs: true });
    }

    back() {
        return this.transfer ? this.putAside() : this.leave();
    }

    toggleSound() {
        this.feedback.toggle();
        this.state.muted = this.feedback.muted;
        this.state.menu = false;
    }

    undo() {
        this.call("scan_undo");
    }

    ask(body, confirm) {
        this.dialog.add(ConfirmationDialog, { body, confirm, cancel: () => {} });
    }
}

registry.category("actions").add("oms_scan_app", OmsScanApp);
