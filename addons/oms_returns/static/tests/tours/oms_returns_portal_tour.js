import { registry } from "@web/core/registry";

registry.category("web_tour.tours").add("oms_returns_portal_tour", {
    steps: () => [
        {
            content: "Ask for a return of the order",
            trigger: "#oms_return_button",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "Choose how many",
            trigger: ".o_oms_return_quantity:eq(0)",
            run: "edit 1",
        },
        {
            content: "Say why",
            trigger: ".o_oms_return_form select:eq(0)",
            run: "selectByLabel Test reason",
        },
        {
            content: "Send it",
            trigger: "button[name=oms_return_submit]",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "The return is there, with its way",
            trigger: ".o_oms_return_page .o_oms_return_steps .o_reached:contains(Request sent)",
        },
        {
            content: "Go to the list",
            trigger: ".breadcrumb a[href^='/my/returns']",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "It is in the list",
            trigger: "td:contains(RMA)",
        },
    ],
});
