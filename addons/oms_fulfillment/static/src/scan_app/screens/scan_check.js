import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";
import { countPieces, formatPieces, getShare } from "../scan_utils";
import { ScanProduct } from "./scan_product";
import { ScanQuantity } from "./scan_quantity";

/** Every piece once more, into the parcel. */
export class ScanCheck extends Component {
    static template = "oms_fulfillment.ScanCheck";
    static components = { ScanProduct };
    static props = { data: Object, call: Function, ask: Function };

    setup() {
        this.dialog = useService("dialog");
        this.countPieces = countPieces;
        this.formatPieces = formatPieces;
        this.getShare = getShare;
    }

    /** What is left first. */
    get lines() {
        return [...this.props.data.lines].sort((a, b) => (a.done >= a.todo) - (b.done >= b.todo));
    }

    get parcelTitle() {
        return _t("Parcel %s", this.props.data.parcels.length + (this.props.data.parcel ? 0 : 1));
    }

    get prompt() {
        return this.props.data.lot_wanted
            ? _t("Scan the lot or serial number")
            : _t("Scan every item into the parcel");
    }

    enterQuantity(line) {
        this.dialog.add(ScanQuantity, {
            title: _t("How many go into the parcel?"),
            product: line.product,
            max: line.todo - line.done,
            confirm: (quantity) =>
                this.props.call("scan_set_quantity", { line_id: line.id, quantity }),
        });
    }
}
