// Vendure has no webhooks: this plugin forwards what happens to an order to the connector, signed over the raw body.
// WEBHOOK_URL can be changed while the server runs through the file named in WEBHOOK_URL_FILE.
const crypto = require("crypto");
const fs = require("fs");
const {
    EventBus,
    FulfillmentEvent,
    OrderEvent,
    OrderPlacedEvent,
    OrderStateTransitionEvent,
    PaymentStateTransitionEvent,
    PluginCommonModule,
    ProductVariantEvent,
    RefundStateTransitionEvent,
    VendurePlugin,
} = require("@vendure/core");

const ATTEMPTS = 3;
const EVENTS = [
    [OrderPlacedEvent, (event) => [event.order]],
    [OrderStateTransitionEvent, (event) => [event.order]],
    [OrderEvent, (event) => [event.order]],
    [PaymentStateTransitionEvent, (event) => [event.order]],
    [RefundStateTransitionEvent, (event) => [event.order]],
    [FulfillmentEvent, (event) => (event.input && event.input.orders) || []],
];

function target() {
    const file = process.env.WEBHOOK_URL_FILE;
    return file && fs.existsSync(file)
        ? fs.readFileSync(file, "utf8").trim()
        : process.env.WEBHOOK_URL;
}

async function send(topic, data) {
    const url = target();
    const secret = process.env.WEBHOOK_SECRET;
    if (!url || !secret) {
        return;
    }
    const body = JSON.stringify({ event: topic, data, at: new Date().toISOString() });
    const signature = crypto.createHmac("sha256", secret).update(body).digest("base64");
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        try {
            const response = await fetch(url, {
                method: "POST",
                headers: {
                    "content-type": "application/json",
                    "x-vendure-event": topic,
                    "x-vendure-hmac-sha256": signature,
                },
                body,
                signal: AbortSignal.timeout(10000),
            });
            if (response.ok) {
                return;
            }
        } catch (error) {
            console.warn(`webhook ${topic}: ${error.message}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 500 * attempt));
    }
}

class WebhookPlugin {
    constructor(eventBus) {
        this.eventBus = eventBus;
    }

    onApplicationBootstrap() {
        for (const [type, getOrders] of EVENTS) {
            this.eventBus.ofType(type).subscribe((event) => {
                for (const order of getOrders(event)) {
                    if (order.orderPlacedAt) {
                        send(type.name, {
                            orderId: String(order.id),
                            code: order.code,
                            state: order.state,
                        });
                    }
                }
            });
        }
        this.eventBus.ofType(ProductVariantEvent).subscribe((event) => {
            const variants = [].concat(event.entity || []);
            send("ProductVariantEvent", {
                variantIds: variants.map((variant) => String(variant.id)),
            });
        });
    }
}
Reflect.defineMetadata("design:paramtypes", [EventBus], WebhookPlugin);
VendurePlugin({ imports: [PluginCommonModule], compatibility: "^3.0.0" })(WebhookPlugin);

module.exports = { WebhookPlugin };
