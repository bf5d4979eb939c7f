import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("oms_base_hold_tour", {
    steps: () => [
        {
            content: "The overview counts the hold by its reason; a click opens just those",
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
