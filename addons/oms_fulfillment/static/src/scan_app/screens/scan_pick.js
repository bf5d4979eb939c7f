import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { formatPieces, getShare } from "../scan_utils";
import { ScanProduct } from "./scan_product";
import { ScanQuantity } from "./scan_quantity";

/** Where to go, what to take, how many; the rest of the walk below. */
export class ScanPick extends Component {
    static template = "oms_fulfillment.ScanPick";
    static components = { ScanProduct };
    static props = { data: Object, call: Function, ask: Function };

    setup() {
        this.dialog = useService("dialog");
        this.formatPieces = formatPieces;
        this.getShare = getShare;
    }

    get line() {
        return this.props.data.lines.find((line) => line.id === this.props.data.current_id);
    }

    get others() {
        return this.props.data.lines.filter((line) => line.id !== this.props.data.current_id);
    }

    get isHere() {
        return this.props.data.at === this.line.location.id;
    }

    get prompt() {
        const { lot_wanted, scan_location } = this.props.data;
        if (lot_wanted) {
            return _t("Scan the lot or serial number");
        }
        return scan_location && !this.isHere ? _t("Scan the location") : _t("Scan the item");
    }

    select(line) {
        if (line.done < line.todo && !line.problem) {
            this.props.call("scan_select_line", { line_id: line.id });
        }
    }

    enterQuantity() {
        const line = this.line;
        this.dialog.add(ScanQuantity, {
            title: _t("How many did you take?"),
            product: line.product,
            max: line.todo - line.done,
            confirm: (quantity) =>
                this.props.call("scan_set_quantity", { line_id: line.id, quantity }),
        });
    }

    reportProblem() {
        const line = this.line;
        this.dialog.add(ScanQuantity, {
            title: _t("What is wrong, with how many?"),
            product: line.product,
            max: line.todo - line.done,
            choices: [
                { key: "short", name: _t("Not there"), icon: "fa-search" },
                { key: "damaged", name: _t("Damaged"), icon: "fa-chain-broken" },
            ],
            confirm: (quantity, kind) =>
                this.props.call("scan_report_problem", { line_id: line.id, kind, quantity }),
        });
    }
}
