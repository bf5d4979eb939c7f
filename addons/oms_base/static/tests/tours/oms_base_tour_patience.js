import { registry } from "@web/core/registry";
import { patch } from "@web/core/utils/patch";

// Each step of a tour waits up to a minute for what it looks for. Odoo's ten seconds pass on a busy
// machine while a page loads.
patch(registry.category("web_tour.tours"), {
    get() {
        return { timeout: 60000, ...super.get(...arguments) };
    },
});
