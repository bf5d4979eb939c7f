import { Component } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { AddressForm } from "../address_form/address_form";

/** One case: what the rule saw, the order, the buyer, the address, and what happened so far. */
export class CaseDetails extends Component {
    static template = "oms_base.ReviewDeskCase";
    static components = { AddressForm };
    static props = {
        case: Object,
        isCorrecting: Boolean,
        age: Function,
        openOrder: Function,
        saveAddress: Function,
        toggleAddressForm: Function,
    };

    /** The day of an order; the year only where it is not this one. */
    day(date) {
        const day = deserializeDateTime(date);
        const isThisYear = day.year === luxon.DateTime.now().year;
        const format = { month: "short", day: "numeric" };
        return day.toLocaleString(isThisYear ? format : { ...format, year: "numeric" });
    }

    time(date) {
        return deserializeDateTime(date).toLocaleString(luxon.DateTime.DATETIME_SHORT);
    }
}
