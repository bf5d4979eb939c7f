import { cookie } from "@web/core/browser/cookie";
import { getCustomColor } from "@web/core/colors/colors";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { GraphRenderer } from "@web/views/graph/graph_renderer";
import { graphView } from "@web/views/graph/graph_view";

const TARGET = 95;
const COLOR = getCustomColor(cookie.get("color_scheme"), "#343a40", "#ced4da");

/** Draws the line that is expected across the whole chart. */
const targetLine = {
    id: "oms_target_line",
    afterDatasetsDraw(chart) {
        const { ctx, chartArea, scales } = chart;
        const y = scales.y.getPixelForValue(TARGET);
        ctx.save();
        ctx.strokeStyle = ctx.fillStyle = COLOR;
        ctx.lineWidth = 2;
        ctx.setLineDash([6, 4]);
        ctx.beginPath();
        ctx.moveTo(chartArea.left, y);
        ctx.lineTo(chartArea.right, y);
        ctx.stroke();
        ctx.textAlign = "right";
        ctx.fillText(_t("Target: %s %", TARGET), chartArea.right - 4, y + 14);
        ctx.restore();
    },
};

export class PassRateGraphRenderer extends GraphRenderer {
    get isPassRate() {
        return this.model.metaData.measure === "pass_rate" && this.model.metaData.mode !== "pie";
    }

    getChartConfig() {
        const config = super.getChartConfig();
        if (this.isPassRate) {
            config.plugins = [...(config.plugins || []), targetLine];
        }
        return config;
    }

    /** A day without an order has no rate: it is left out, not drawn as 0. */
    getLineChartData() {
        const data = super.getLineChartData();
        if (this.isPassRate) {
            for (const dataset of data.datasets) {
                dataset.spanGaps = true;
                dataset.data = dataset.data.map((value, index) =>
                    dataset.domains[index]?.length ? value : null
                );
            }
        }
        return data;
    }

    getScaleOptions() {
        const scales = super.getScaleOptions();
        if (this.isPassRate) {
            scales.y.suggestedMax = 100;
        }
        return scales;
    }
}

registry
    .category("views")
    .add("oms_pass_rate_graph", { ...graphView, Renderer: PassRateGraphRenderer });
