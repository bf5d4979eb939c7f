import { Component } from "@odoo/owl";
import { formatPieces, formatWeight } from "../scan_utils";

/** The waybill for each parcel. */
export class ScanLabel extends Component {
    static template = "oms_fulfillment.ScanLabel";
    static props = { data: Object, call: Function, ask: Function };

    setup() {
        this.formatPieces = formatPieces;
        this.formatWeight = formatWeight;
    }
}
