import { Component, onWillStart, onWillUnmount, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

const REFRESH_MS = 30000;

export class OmsOverview extends Component {
    static template = "oms_base.Overview";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ sections: [], loadedAt: null });
        this.display = { controlPanel: {} };
        onWillStart(() => this.load());
        const timer = setInterval(() => this.load(), REFRESH_MS);
        onWillUnmount(() => clearInterval(timer));
    }

    async load() {
        this.state.sections = await this.orm.silent.call("oms.overview", "get_overview", []);
        this.state.loadedAt = luxon.DateTime.now().toLocaleString(luxon.DateTime.TIME_WITH_SECONDS);
    }

    /** Width of a tile's bar in percent of the section's largest value. */
    share(section, tile) {
        const largest = Math.max(1, ...section.tiles.map((other) => other.value));
        return Math.round((100 * tile.value) / largest);
    }

    age(tile) {
        return tile.oldest ? deserializeDateTime(tile.oldest).toRelative() : "";
    }

    oldestTitle(tile) {
        return _t("The oldest: %s", this.age(tile));
    }

    /** Open just the records a figure was counted from. */
    async open(tile) {
        if (tile.model === "sale.order") {
            const orders = await this.action.loadAction("oms_base.sale_order_action");
            const action = { ...orders, name: tile.label, domain: tile.domain, context: {} };
            return this.action.doAction(action, { viewType: "list" });
        }
        return this.action.doAction({
            type: "ir.actions.act_window",
            name: tile.label,
            res_model: tile.model,
            domain: tile.domain,
            views: [
                [false, "list"],
                [false, "form"],
            ],
        });
    }

    /** Open the record that a tile is about. */
    async openRecord(tile) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: tile.record_model,
            res_id: tile.record_id,
            views: [[false, "form"]],
        });
    }
}

registry.category("actions").add("oms_overview", OmsOverview);
