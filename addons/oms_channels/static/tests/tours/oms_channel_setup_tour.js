import { registry } from "@web/core/registry";

const setup = (step) =>
    `.o_oms_setup .o_statusbar_status .o_arrow_button_current[data-value=${step}]`;
const next = {
    trigger: ".o_oms_setup button[name=action_setup_next]:visible:enabled",
    run: "click",
};

registry.category("web_tour.tours").add("oms_channel_setup_tour", {
    steps: () => [
        {
            content: "Choose the kind of shop",
            trigger: ".o_kanban_record:has([data-platform=medusa]) button[name=action_connect]",
            run: "click",
        },
        {
            content: "What Medusa needs is asked for under Medusa's names, with where it is found",
            trigger:
                ".o_oms_setup [data-key=api_key]:contains(Secret API Key):contains(Begins with sk_)",
        },
        {
            content: "What it does not need is not asked for",
            trigger: ".o_oms_setup:not(:has([data-key=session_token]))",
        },
        {
            content: "Where the shop is",
            trigger: ".o_oms_setup [data-key=base_url] input",
            run: "edit http://shop.test",
        },
        { content: "Without its key", ...next },
        {
            content: "nobody gets on",
            trigger: ".modal:contains(Secret API Key) .btn-primary",
            run: "click",
        },
        {
            content: "The key",
            trigger: ".o_oms_setup [data-key=api_key] input",
            run: "edit sk_test",
        },
        { content: "The shop is asked", ...next },
        { content: "and says what it is", trigger: `${setup("webhooks")}` },
        { trigger: ".o_oms_setup .alert-success:contains(Stock locations)" },
        {
            content: "A secret for its webhooks",
            trigger: ".o_oms_setup button[name=action_generate_webhook_secret]",
            run: "click",
        },
        { trigger: ".o_notification, .o_oms_setup [name=webhook_secret] input" },
        { content: "On to the warehouses", ...next },
        { trigger: setup("work") },
        {
            content: "One step back and forth: nothing is lost",
            trigger: ".o_oms_setup button[name=action_setup_back]",
            run: "click",
        },
        { trigger: setup("webhooks") },
        { ...next },
        { trigger: setup("work") },
        { content: "On to the products", ...next },
        { trigger: setup("products") },
        {
            content: "Have them read",
            trigger: ".o_oms_setup button[name=action_import_listings]",
            run: "click",
        },
        {
            content: "It is done in the background",
            trigger: ".o_oms_setup button[name=action_reload_setup]:visible",
        },
    ],
});

registry.category("web_tour.tours").add("oms_channel_setup_resumed_tour", {
    steps: () => [
        {
            content: "Who left goes on from the same card",
            trigger: ".o_kanban_record:has([data-platform=medusa]) button[name=action_continue]",
            run: "click",
        },
        {
            content: "The figures say what is matched",
            trigger:
                ".o_oms_setup [name=products]:has([name=listing_matched_count]:contains(1)):has([name=listing_unmatched_count]:contains(1))",
        },
        { content: "On to the orders", ...next },
        { trigger: setup("orders") },
        { content: "Begin", ...next },
        {
            content: "The channel itself is open, and nothing of the set-up is left to do",
            trigger: ".o_form_view:not(:has(.o_oms_setup)) button[name=action_pull_now]",
        },
        { trigger: ".o_form_view:not(:has(button[name=action_open_setup]))" },
    ],
});
