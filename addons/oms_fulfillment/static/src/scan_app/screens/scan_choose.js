import { Component } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { formatPieces } from "../scan_utils";

/** The list of work, oldest first. */
export class ScanChoose extends Component {
    static template = "oms_fulfillment.ScanChoose";
    static props = { data: Object, call: Function, ask: Function };

    setup() {
        this.formatPieces = formatPieces;
    }

    age(transfer) {
        return transfer.date
            ? deserializeDateTime(transfer.date.replace("T", " ").slice(0, 19)).toRelative()
            : "";
    }

    countItems(transfer) {
        return _t("%s items", transfer.lines);
    }

    get shownText() {
        const { shown, total } = this.props.data;
        return _t("The oldest %(shown)s of %(total)s", { shown, total });
    }

    details(transfer) {
        return [transfer.partner, transfer.city, transfer.carrier].filter(Boolean).join(" · ");
    }

    onWarehouse(ev) {
        this.props.call("scan_start", { warehouse_id: parseInt(ev.target.value) });
    }

    filter(operationId) {
        this.props.call("scan_start", { picking_type_id: operationId });
    }

    refresh() {
        this.props.call("scan_start");
    }

    open(transfer) {
        if (!transfer.holder) {
            return this.props.call("scan_open", { transfer_id: transfer.id });
        }
        if (!this.props.data.supervisor) {
            return this.props.call("scan_open", { transfer_id: transfer.id }); // the server says whose it is
        }
        this.props.ask(
            _t("%(transfer)s is with %(user)s. Take it over?", {
                transfer: transfer.name,
                user: transfer.holder,
            }),
            () => this.props.call("scan_take_over", { transfer_id: transfer.id })
        );
    }
}
