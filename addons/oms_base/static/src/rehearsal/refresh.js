import { Component, onWillUnmount } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";

const REFRESH_MS = 2000;

/** Loads the record of a form anew while the background works on it (its state is "running"). */
export class OmsRefresh extends Component {
    static template = "oms_base.Refresh";
    static props = { ...standardWidgetProps };

    setup() {
        const timer = setInterval(() => this.refresh(), REFRESH_MS);
        onWillUnmount(() => clearInterval(timer));
    }

    async refresh() {
        const { record } = this.props;
        if (record.data.state === "running" && !record.dirty && record.resId) {
            await record.load();
        }
    }
}

registry.category("view_widgets").add("oms_refresh", {
    component: OmsRefresh,
    fieldDependencies: [{ name: "state", type: "selection" }],
});
