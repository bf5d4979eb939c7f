import { registry } from "@web/core/registry";

function press(key) {
    window.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}

registry.category("web_tour.tours").add("oms_review_desk_tour", {
    steps: () => [
        {
            content: "The most severe queue comes first, and its count is there",
            trigger: ".o_oms_desk .o_oms_queue[data-queue=manual] .o_oms_queue_count:contains(4)",
        },
        {
            content: "Open the queue",
            trigger: ".o_oms_desk .o_oms_queue[data-queue=manual]",
            run: "click",
        },
        {
            content: "The oldest case is open, with what the rule saw in words",
            trigger:
                ".o_oms_case_details:contains(Alpha case) .o_oms_evidence:contains(Stock) dd:contains(7)",
            run: () => press("?"),
        },
        {
            content: "The help names the keys",
            trigger: ".o_oms_desk_help:contains(Next case)",
            run: () => press("?"),
        },
        {
            content: "Release it with a key",
            trigger:
                ".o_oms_desk:not(:has(.o_oms_desk_help)) .o_oms_case_details:contains(Alpha case)",
            run: () => press("r"),
        },
        {
            content: "The next case opens by itself",
            trigger: ".o_oms_case_details:contains(Beta case)",
            run: () => press("j"),
        },
        {
            content: "Next",
            trigger: ".o_oms_case_details:contains(Gamma case)",
            run: () => press("k"),
        },
        {
            content: "And back",
            trigger: ".o_oms_case_details:contains(Beta case)",
            run: () => press("o"),
        },
        {
            content: "The order is open; back to the desk",
            trigger: ".o_action_manager:has(.o_form_view) .o_back_button a",
            run: "click",
        },
        {
            content: "The same queue and case are open",
            trigger:
                ".o_oms_desk:has(.o_oms_queue.active[data-queue=manual]) .o_oms_case_details:contains(Beta case)",
            run: () => press("x"),
        },
        {
            content: "It is selected",
            trigger: ".o_oms_case.selected.active",
        },
        {
            content: "On to the queue of addresses",
            trigger: ".o_oms_queue[data-queue=address]",
            run: "click",
        },
        {
            content: "The problem is told",
            trigger: ".o_oms_case_details:contains(Street is missing)",
            run: () => press("c"),
        },
        {
            content: "The caret is in the part that is missing",
            trigger: ".o_oms_address_form input[name=street]:focus",
            run: "edit 龙井路 1 号",
        },
        {
            content: "Save",
            trigger: ".o_oms_address_form button[type=submit]",
            run: "click",
        },
        {
            content: "The queue is empty: the review has released the hold",
            trigger: ".o_oms_desk_cases .o_oms_nothing",
        },
        {
            content: "All cases",
            trigger: ".o_oms_queue:contains(All cases)",
            run: "click",
        },
        {
            content: "All four are listed",
            trigger:
                ".o_oms_desk_cases:has(.o_oms_case:contains(Owes too much)):has(.o_oms_case:contains(Delta case))",
        },
        {
            content: "Select all of them to correct them",
            trigger: ".o_oms_cases_header input[type=checkbox]",
            run: "click",
        },
        {
            content: "With a key",
            trigger: ".o_oms_bulk:contains(4 selected)",
            run: () => press("C"),
        },
        {
            content: "Each has its address",
            trigger: ".modal .o_data_row:first td[name=street]",
            run: "click",
        },
        {
            content: "One of them is wrong",
            trigger: ".modal .o_data_row:first td[name=street] input",
            run: "edit 龙井路 9 号",
        },
        {
            content: "Save",
            trigger: ".modal button[name=action_correct]",
            run: "click",
        },
        {
            content: "One is done, the others are explained",
            trigger:
                ".o_oms_results:contains(1 done, 3 not) .o_oms_result.refused:contains(nothing was changed)",
        },
        {
            content: "What was done is no longer selected",
            trigger: ".o_oms_bulk:contains(3 selected)",
        },
        {
            content: "The wizard is gone; close the results",
            trigger: "body:not(:has(.modal)) .o_oms_results .btn-close",
            run: "click",
        },
        {
            content: "Select all of them",
            trigger: ".o_oms_cases_header input[type=checkbox]",
            run: "click",
        },
        {
            content: "Release them together",
            trigger: ".o_oms_bulk:contains(4 selected) button[name=bulk_release]",
            run: "click",
        },
        {
            content: "With a comment",
            trigger: ".modal textarea.o_oms_reason_text",
            run: "edit Looked at together",
        },
        {
            content: "Confirm",
            trigger: ".modal .btn-primary",
            run: "click",
        },
        {
            content: "Three are done, one is explained",
            trigger:
                ".o_oms_results:contains(3 done, 1 not) .o_oms_result.refused:contains(can only be released by)",
        },
        {
            content: "The refused one is what is left",
            trigger: ".o_oms_case_details:contains(Owes too much)",
        },
        {
            content: "The results stay until they are closed",
            trigger: ".o_oms_results .btn-close",
            run: "click",
        },
        {
            content: "Closed",
            trigger: ".o_oms_desk:not(:has(.o_oms_results))",
        },
    ],
});
