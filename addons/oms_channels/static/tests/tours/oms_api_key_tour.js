import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("oms_api_key_tour", {
    steps: () => [
        {
            content: "The keys of a channel are on a page of its form",
            trigger: ".o_form_view .nav-link[name=api]",
            run: "click",
        },
        {
            content: "A key has no secret yet: make one",
            trigger:
                ".o_field_widget[name=api_key_ids] .o_data_row:contains(Mini program) button[name=action_generate_secret]",
            run: "click",
        },
        {
            content: "Somebody might use the one before",
            trigger: ".modal:contains(stops working at once) .modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "It is shown this once",
            trigger: ".modal:contains(shown this once) [name=token]:contains(oms_)",
        },
        {
            content: "Done",
            trigger: ".modal:contains(shown this once) .btn-primary:contains(Done)",
            run: "click",
        },
        {
            content: "The list shows how it begins, and not more",
            trigger:
                "body:not(:has(.modal)) .o_data_row:contains(Mini program) [name=prefix]:contains(oms_)",
        },
        {
            content: "End it",
            trigger: ".o_data_row:contains(Mini program) button[name=action_revoke]",
            run: "click",
        },
        {
            content: "Sure",
            trigger: ".modal:contains(refused from now on) .modal-footer .btn-primary",
            run: "click",
        },
        {
            content: "It does not work any more",
            trigger: ".o_data_row:contains(Mini program):contains(Revoked)",
        },
    ],
});
