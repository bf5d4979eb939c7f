import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { countPieces, formatPieces, formatWeight } from "../scan_utils";
import { ScanProduct } from "./scan_product";

/** What leaves, what does not, and the button that makes it so. */
export class ScanShip extends Component {
    static template = "oms_fulfillment.ScanShip";
    static components = { ScanProduct };
    static props = { data: Object, call: Function, ask: Function };

    setup() {
        this.countPieces = countPieces;
        this.formatPieces = formatPieces;
        this.formatWeight = formatWeight;
    }

    get isShort() {
        return this.props.data.missing.length > 0;
    }

    get hasWaybill() {
        return this.props.data.parcels.some((parcel) => parcel.waybill);
    }

    ship() {
        this.props.call("scan_ship");
    }

    cancelRest() {
        this.props.ask(_t("Deliver without the missing pieces, and not later either?"), () =>
            this.props.call("scan_ship", { cancel_rest: true })
        );
    }
}
