import { Component } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { CharField } from "@web/views/fields/char/char_field";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** A key or setting of a shop, under the name it has on the shop's platform and with where it is found there. What the
 * platform does not ask for is not shown. */
export class ShopKey extends Component {
    static template = "oms_channels.ShopKey";
    static components = { CharField };
    static props = { ...standardFieldProps };

    get text() {
        return (this.props.record.data.setup_texts || {})[this.props.name];
    }
}

registry.category("fields").add("oms_shop_key", {
    component: ShopKey,
    supportedTypes: ["char"],
    fieldDependencies: [{ name: "setup_texts", type: "json" }],
});
