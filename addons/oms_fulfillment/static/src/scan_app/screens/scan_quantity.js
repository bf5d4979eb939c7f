import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { useAutofocus } from "@web/core/utils/hooks";
import { formatPieces } from "../scan_utils";

/** Asks for a number of pieces with keys a thumb can hit. */
export class ScanQuantity extends Component {
    static template = "oms_fulfillment.ScanQuantity";
    static components = { Dialog };
    static props = {
        title: String,
        product: Object,
        max: Number,
        value: { type: Number, optional: true },
        confirm: Function,
        choices: { type: Array, optional: true }, // [{key, name, icon}]: one of them is confirmed with the quantity
        close: Function,
    };

    setup() {
        this.state = useState({ value: this.props.value ?? this.props.max });
        useAutofocus({ refName: "input" });
    }

    get limit() {
        const { max, product } = this.props;
        return _t("of %s", `${formatPieces(max)} ${product.unit}`.trim());
    }

    add(step) {
        this.state.value = Math.max(
            0,
            Math.min(this.props.max, (parseFloat(this.state.value) || 0) + step)
        );
    }

    onInput(ev) {
        this.state.value = ev.target.value.replace(",", ".");
    }

    confirm(key) {
        const value = parseFloat(this.state.value);
        if (value > 0) {
            this.props.close();
            this.props.confirm(value, key);
        }
    }
}
