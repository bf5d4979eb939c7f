// Forwards the shop's events to the connector (WEBHOOK_URL), signed with WEBHOOK_SECRET over the raw body.
// WEBHOOK_URL can be changed while the server runs through the file named in WEBHOOK_URL_FILE.
const crypto = require("crypto");
const fs = require("fs");

const ATTEMPTS = 3;
const EVENTS = [
    "order.placed",
    "order.updated",
    "order.completed",
    "order.canceled",
    "order.archived",
    "order.fulfillment_created",
    "order.fulfillment_canceled",
    "order.return_requested",
    "order.return_received",
    "order.claim_created",
    "order.exchange_created",
    "order-edit.confirmed",
    "shipment.created",
    "delivery.created",
    "payment.captured",
    "payment.refunded",
    "product.created",
    "product.updated",
    "product.deleted",
    "product-variant.updated",
];

function target() {
    const file = process.env.WEBHOOK_URL_FILE;
    if (file && fs.existsSync(file)) {
        return fs.readFileSync(file, "utf8").trim();
    }
    return process.env.WEBHOOK_URL;
}

async function forward({ event, container }) {
    const url = target();
    const secret = process.env.WEBHOOK_SECRET;
    if (!url || !secret) {
        return;
    }
    const logger = container.resolve("logger");
    const body = JSON.stringify({
        event: event.name,
        data: event.data,
        at: new Date().toISOString(),
    });
    const signature = crypto.createHmac("sha256", secret).update(body).digest("base64");
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        try {
            const response = await fetch(url, {
                method: "POST",
                headers: {
                    "content-type": "application/json",
                    "x-medusa-event": event.name,
                    "x-medusa-hmac-sha256": signature,
                },
                body,
                signal: AbortSignal.timeout(10000),
            });
            if (response.ok) {
                return;
            }
            logger.warn(`webhook ${event.name}: HTTP ${response.status}`);
        } catch (error) {
            logger.warn(`webhook ${event.name}: ${error.message}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 500 * attempt));
    }
}

module.exports = { default: forward, config: { event: EVENTS } };
