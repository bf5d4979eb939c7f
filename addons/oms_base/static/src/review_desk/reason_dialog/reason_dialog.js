import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { useAutofocus } from "@web/core/utils/hooks";

/** Asks for one line of reason before something is done with many cases. */
export class ReasonDialog extends Component {
    static template = "oms_base.ReviewDeskReason";
    static components = { Dialog };
    static props = {
        title: String,
        label: String,
        button: String,
        confirm: Function,
        close: Function,
        isRequired: { type: Boolean, optional: true },
    };

    setup() {
        this.state = useState({ text: "" });
        useAutofocus({ refName: "text" });
    }

    get isReady() {
        return !this.props.isRequired || Boolean(this.state.text.trim());
    }

    confirm() {
        if (this.isReady) {
            this.props.close();
            return this.props.confirm(this.state.text.trim());
        }
    }

    onKeydown(event) {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            return this.confirm();
        }
    }
}
