import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("oms_base_merge_tour", {
    steps: () => [
        {
            content: "Two orders could travel together: merge them",
            trigger: ".o_data_row:contains(Tour buyer) button[name=action_merge]",
            run: "click",
        },
        {
            content: "They are merged; the others still wait",
            trigger:
                ".o_data_row:contains(Tour buyer):not(:has(button)) td[name=group_id]:not(:empty)",
        },
        {
            content: "Merge the rest at once",
            trigger: "button[name=action_merge_all]",
            run: "click",
        },
        {
            content: "The delivery groups are shown",
            trigger: ".o_list_view .o_breadcrumb:contains(Delivery Groups)",
        },
    ],
});
