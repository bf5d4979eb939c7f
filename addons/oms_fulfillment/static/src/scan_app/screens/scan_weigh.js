import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useAutofocus } from "@web/core/utils/hooks";
import { countPieces, formatWeight } from "../scan_utils";

/** What the scale says, beside what it should say. */
export class ScanWeigh extends Component {
    static template = "oms_fulfillment.ScanWeigh";
    static props = { data: Object, call: Function, ask: Function };

    setup() {
        this.state = useState({ weight: "" });
        this.countPieces = countPieces;
        this.formatWeight = formatWeight;
        useAutofocus({ refName: "weight" });
    }

    get parcel() {
        return this.props.data.parcel;
    }

    get difference() {
        const difference = this.parcel.gross - this.parcel.expected;
        return `${difference > 0 ? "+" : ""}${formatWeight(difference)}`;
    }

    onKeydown(ev) {
        if (ev.key === "Enter") {
            this.weigh();
        }
    }

    /** The server reads it: a scale types a weight, a scanner the packaging's barcode. */
    weigh() {
        const barcode = this.state.weight.trim();
        if (barcode) {
            this.state.weight = "";
            this.props.call("scan_barcode", { barcode });
        }
    }

    empty() {
        this.props.ask(_t("Take everything out of the parcel and scan each piece again?"), () =>
            this.props.call("scan_reopen_parcel", { empty: true })
        );
    }
}
