import { Component, onWillStart, useEffect, useRef } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { cookie } from "@web/core/browser/cookie";
import { getCustomColor } from "@web/core/colors/colors";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const REHEARSED_COLOR = "#017e84";
const KIND_COLORS = {
    error: "#b02a37",
    cancelled: "#d9534f",
    newly_held: "#f0ad4e",
    no_longer_held: "#28a745",
    other_hold: "#fd7e14",
    gift: "#6f42c1",
    tagged: "#17a2b8",
    changed: "#6c757d",
};

/** What becomes of the orders by the rules of today and by the rehearsed ones, side by side; and what changes. */
export class OmsRehearsalChart extends Component {
    static template = "oms_base.RehearsalChart";
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
        this.sidesRef = useRef("sides");
        this.kindsRef = useRef("kinds");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => {
                const charts = this.draw();
                return () => charts.forEach((chart) => chart.destroy());
            },
            () => [JSON.stringify(this.value)]
        );
    }

    get value() {
        return this.props.record.data[this.props.name] || { labels: [], kinds: [] };
    }

    draw() {
        const { labels, before, after, kinds, kind_keys: keys, kind_counts: counts } = this.value;
        const grey = getCustomColor(cookie.get("color_scheme"), "#b8bcc4", "#5b6070");
        const charts = [
            this.makeChart(this.sidesRef.el, labels, [
                { label: _t("Today"), data: before, backgroundColor: grey },
                { label: _t("Rehearsed"), data: after, backgroundColor: REHEARSED_COLOR },
            ]),
        ];
        if (this.kindsRef.el) {
            const colors = keys.map((key) => KIND_COLORS[key]);
            charts.push(
                this.makeChart(
                    this.kindsRef.el,
                    kinds,
                    [{ label: _t("Orders"), data: counts, backgroundColor: colors }],
                    (index) => this.openKind(index)
                )
            );
        }
        return charts;
    }

    makeChart(canvas, labels, datasets, onPick) {
        return new Chart(canvas, {
            type: "bar",
            data: { labels, datasets: datasets.map((set) => ({ ...set, maxBarThickness: 26 })) },
            options: {
                indexAxis: "y",
                animation: false,
                maintainAspectRatio: false,
                onClick: (_event, elements) =>
                    elements.length && onPick && onPick(elements[0].index),
                plugins: { legend: { display: datasets.length > 1, position: "bottom" } },
                scales: {
                    x: { beginAtZero: true, ticks: { precision: 0 } },
                    y: { grid: { display: false } },
                },
            },
        });
    }

    /** Open the orders of one kind of change. */
    async openKind(index) {
        const { kinds, kind_keys: keys } = this.value;
        const action = await this.action.loadAction("oms_base.oms_rehearsal_line_action");
        const domain = [
            ["rehearsal_id", "=", this.props.record.resId],
            ["kind", "=", keys[index]],
        ];
        return this.action.doAction({ ...action, name: kinds[index], domain, context: {} });
    }
}

registry.category("fields").add("oms_rehearsal_chart", {
    component: OmsRehearsalChart,
    displayName: _t("Rehearsal Chart"),
    supportedTypes: ["json"],
});
