import { Component } from "@odoo/owl";
import { formatExpiry } from "../scan_utils";

/** Picture, name and codes of an article, as it lies on the shelf. */
export class ScanProduct extends Component {
    static template = "oms_fulfillment.ScanProduct";
    static props = {
        product: Object,
        lot: { type: [Object, Boolean], optional: true },
        package: { type: String, optional: true },
        large: { type: Boolean, optional: true },
    };

    get codes() {
        const { code, barcode } = this.props.product;
        return [...new Set([code, barcode])].filter(Boolean).join(" · ");
    }

    get expiry() {
        return formatExpiry(this.props.lot?.expiry);
    }
}
