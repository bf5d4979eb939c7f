import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("oms_base_hold_tour", {
    steps: () => [
        {
            content: "The overview counts the orders of a stage; a click opens just those",
            trigger: ".o_oms_overview section[data-section=stages] button[data-key=held]",
            run: "click",
        },
        {
            content: "The order on hold is there, the free one is not",
            trigger:
                ".o_list_view:has(.o_data_row:contains(Total differs)):not(:has(.o_data_row:contains(To Review)))",
        },
        {
            content: "Back to the overview",
            trigger: ".o_back_button",
            run: "click",
        },
        {
            content: "A channel shows its open orders; a click opens just those",
            trigger:
                ".o_oms_overview section[data-section=channels] [data-key=test_shop] .o_oms_value",
            run: "click",
        },
        {
            content: "Both orders are there",
            trigger: ".o_list_view:has(.o_data_row:contains(To Review))",
        },
        {
            content: "Back to the overview",
            trigger: ".o_back_button",
            run: "click",
        },
        {
            content: "The name of the channel opens the channel",
            trigger:
                ".o_oms_overview section[data-section=channels] [data-key=test_shop] .o_oms_record",
            run: "click",
        },
        {
            content: "It is there",
            trigger: ".o_form_view .o_field_widget[name=code]:contains(test_shop)",
        },
        {
            content: "Back to the overview",
            trigger: ".o_back_button",
            run: "click",
        },
        {
            content: "Holds are counted by their reason; a click opens just those",
            trigger: ".o_oms_overview section[data-section=holds] button[data-key=total]",
            run: "click",
        },
        {
            content: "Release it",
            trigger: ".o_data_row:contains(Total differs) button[name=action_release]",
            run: "click",
        },
        {
            content: "It is released: nothing is left to release",
            trigger: ".o_list_view:not(:has(button[name=action_release]:visible))",
        },
    ],
});
