import { rpc } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";

const call = (model, method, args, kwargs = {}) =>
    rpc(`/web/dataset/call_kw/${model}/${method}`, { model, method, args, kwargs });

registry.category("web_tour.tours").add("oms_base_rehearsal_tour", {
    steps: () => [
        {
            content: "Open the draft",
            trigger: ".o_data_row:contains(Tour draft) td[name=name]",
            run: "click",
        },
        {
            content: "Rehearse it",
            trigger: "button[name=action_rehearse]",
            run: "click",
        },
        {
            content: "It runs; let the scheduler do its work now",
            trigger: ".o_form_view:has(.o_arrow_button_current:contains(Running))",
            run: async () => {
                const crons = await call("ir.cron", "search", [
                    [["code", "ilike", "_cron_run_rehearsals"]],
                ]);
                await call("ir.cron", "method_direct_trigger", [crons]);
            },
        },
        {
            content: "The form sees by itself that it is done",
            trigger: ".o_form_view:has(.o_arrow_button_current:contains(Done))",
        },
        {
            content: "The chart is drawn",
            trigger: ".o_oms_rehearsal_chart canvas",
        },
        {
            content: "Open an order from the result",
            trigger:
                ".o_field_widget[name=line_ids] .o_data_row:contains(Newly Held) button[name=action_view_order]",
            run: "click",
        },
        {
            content: "The order is there",
            trigger: ".o_form_view:has(.o_field_widget[name=order_line])",
        },
    ],
});
