import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("oms_base_recipe_tour", {
    steps: () => [
        {
            content: "First click: a new rule from a recipe",
            trigger: "button[name=action_new_from_recipe]",
            run: "click",
        },
        {
            content: "Second click: use the one that says it",
            trigger:
                ".modal .o_data_row:contains(above 5000):contains(New Shipping Address) button[name=action_use]",
            run: "click",
        },
        {
            content: "Third click: put it to work",
            trigger: ".o_form_view:not(.modal .o_form_view) button[name=action_go_live]",
            run: "click",
        },
        {
            content: "It is live",
            trigger: ".o_statusbar_status button.o_arrow_button_current:contains(Live)",
        },
    ],
});
