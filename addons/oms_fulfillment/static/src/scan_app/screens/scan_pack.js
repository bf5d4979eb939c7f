import { Component } from "@odoo/owl";
import { countPieces } from "../scan_utils";

/** Which box. */
export class ScanPack extends Component {
    static template = "oms_fulfillment.ScanPack";
    static props = { data: Object, call: Function, ask: Function };

    setup() {
        this.countPieces = countPieces;
    }

    choose(packagingId) {
        this.props.call("scan_packaging", { package_type_id: packagingId });
    }
}
