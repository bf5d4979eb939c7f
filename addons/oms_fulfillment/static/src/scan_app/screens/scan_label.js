import { Component } from "@odoo/owl";
import { countPieces, formatWeight } from "../scan_utils";

/** The waybill for each parcel. */
export class ScanLabel extends Component {
    static template = "oms_fulfillment.ScanLabel";
    static props = { data: Object, call: Function, ask: Function };

    setup() {
        this.countPieces = countPieces;
        this.formatWeight = formatWeight;
    }
}
