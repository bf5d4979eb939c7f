import { registry } from "@web/core/registry";

const conditions = ".o_field_widget[name=domain] .o_tree_editor_condition";

function sentence(words) {
    return `.o_field_widget[name=sentence]:contains(${words})`;
}

function reads(words) {
    // The editor draws itself anew after each choice: what is done before that would be lost.
    return [
        {
            content: "The rule reads as one sentence",
            trigger: sentence(words),
        },
    ];
}

function addCondition(position, field, label) {
    return [
        {
            content: "A further condition",
            trigger: ".o_field_widget[name=domain] a:contains(New Rule)",
            run: "click",
        },
        {
            content: "Choose what it is about",
            trigger: `${conditions}:eq(${position}) .o_model_field_selector`,
            run: "click",
        },
        {
            trigger: `.o_model_field_selector_popover_item[data-name=${field}] > button:first`,
            run: "click",
        },
        {
            content: "It is chosen",
            trigger: "body:not(:has(.o_model_field_selector_popover))",
        },
        ...reads(label),
    ];
}

registry.category("web_tour.tours").add("oms_base_conditions_tour", {
    steps: () => [
        {
            content: "A new rule",
            trigger: ".o_list_button_add",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=name] input, .o_field_widget[name=name] textarea",
            run: "edit Clicked together",
        },
        ...addCondition(0, "amount_total", "Total"),
        {
            content: "More than",
            trigger: `${conditions}:eq(0) select:first`,
            async run({ selectByLabel, waitFor }) {
                for (let tries = 0; tries < 5; tries++) {
                    await selectByLabel("greater than", `${conditions}:eq(0) select:first`);
                    try {
                        return await waitFor(sentence("is above"), { timeout: 1500 });
                    } catch {
                        continue; // the editor drew itself anew meanwhile, and lost the choice
                    }
                }
            },
        },
        ...reads("is above"),
        {
            trigger: `${conditions}:eq(0) .o_tree_editor_editor:last input`,
            run: "edit 5000 && click .o_form_sheet",
        },
        ...reads("is above 5000"),
        ...addCondition(1, "oms_is_new_address", "New Shipping Address"),
        {
            content: "What is done",
            trigger: ".o_notebook_headers a[name=actions]",
            run: "click",
        },
        {
            trigger: ".o_field_widget[name=action_ids] .o_field_x2many_list_row_add a",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name=hold_type_id] input",
            run: "edit Manual review",
        },
        {
            trigger: ".o-autocomplete--dropdown-menu a:contains(Manual review)",
            run: "click",
        },
        {
            trigger: ".modal .o_form_button_save",
            run: "click",
        },
        ...reads("put it on hold"),
        {
            trigger: "button[name=action_go_live]",
            run: "click",
        },
        {
            content: "It is live",
            trigger: ".o_statusbar_status button.o_arrow_button_current:contains(Live)",
        },
    ],
});
