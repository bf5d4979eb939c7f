import { Component, onMounted, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";

/** A small form over the parts of an address; saved as a delivery contact of the order. */
export class AddressForm extends Component {
    static template = "oms_base.ReviewDeskAddress";
    static props = { address: Object, save: Function, discard: Function };

    setup() {
        this.form = useRef("form");
        this.values = useState({ ...this.props.address.parts });
        this.parts = [
            { name: "name", label: _t("Name") },
            { name: "street", label: _t("Street") },
            { name: "street2", label: _t("Street 2") },
            { name: "city", label: _t("City") },
            { name: "zip", label: _t("Postcode") },
            { name: "phone", label: _t("Phone") },
        ];
        // The first empty part that matters is the likely mistake: the caret starts there.
        const empty = this.parts.find((part) => part.name !== "street2" && !this.values[part.name]);
        onMounted(() => this.form.el.elements[empty?.name || "street"].focus());
    }

    onStateChange(event) {
        this.values.state_id = Number(event.target.value) || "";
    }

    onKeydown(event) {
        if (event.key === "Escape") {
            this.props.discard();
        }
    }

    submit() {
        return this.props.save({ ...this.values });
    }
}
