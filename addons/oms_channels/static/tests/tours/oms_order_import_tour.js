import { registry } from "@web/core/registry";
import { inputFiles } from "@web/../tests/utils";

const HEADINGS = "Order ID,Order Time,Receiver,Phone,Zip,SKU,Quantity,Unit Price";

registry.category("web_tour.tours").add("oms_order_import_tour", {
    steps: () => [
        {
            content: "Choose the channel",
            trigger: ".modal .o_field_widget[name=channel_id] input",
            run: "edit Test Shop",
        },
        {
            trigger: ".ui-autocomplete .dropdown-item:not(:has(.fa-spin)):first",
            run: "click",
        },
        {
            content: "Choose a file: one good order, one with a quantity that is none",
            trigger: ".modal .o_field_widget[name=file] .o_select_file_button",
            async run() {
                const rows = [
                    HEADINGS,
                    "T-1,2026-03-01 10:00,Ada,0138,010020,OMS-MOUSE,2,10.00",
                    "T-2,2026-03-01 10:00,Bob,0139,010020,OMS-MOUSE,many,10.00",
                ];
                const file = new File([rows.join("\n")], "orders.csv", { type: "text/csv" });
                await inputFiles(".modal .o_field_widget[name=file] .o_input_file", [file]);
            },
        },
        {
            content: "It is there",
            trigger: ".modal .o_field_widget[name=file] input:value(orders.csv)",
        },
        {
            content: "What would happen?",
            trigger: ".modal button[name=action_check].btn-primary",
            run: "click",
        },
        {
            content: "Nothing yet; the bad row is named with its column",
            trigger:
                ".modal:contains(Nothing has been imported yet) .o_field_widget[name=report_html]:contains(many)",
        },
        { trigger: ".modal .o_field_widget[name=new_count]:contains(1)" },
        {
            content: "Import the good one",
            trigger: ".modal button[name=action_import]",
            run: "click",
        },
        {
            content: "It is in the inbox",
            trigger:
                ".modal:contains(The good orders are in the inbox) button[name=action_view_messages]",
            run: "click",
        },
        { trigger: ".o_list_view .o_data_row:contains(T-1)" },
        { trigger: ".o_list_view:not(:has(.o_data_row:contains(T-2)))" },
    ],
});
