import { describe, expect, test } from "@odoo/hoot";
import { getExpression, toExpression } from "@oms_channels/sample_tree/sample_path";

describe.current.tags("headless");

const mapping = {
    "order.lines": "data.items",
    "order.payments": "collections[].payments[]",
    "order.shipping_address": "receiver",
};
const find = (target) => mapping[target];

test("a path is an expression", () => {
    expect(toExpression(["data", "items", 0, "sku"])).toBe("data.items[0].sku");
    expect(toExpression(["ship-to", "名"])).toBe('"ship-to"."名"');
});

test("what belongs to a line begins at the line", () => {
    expect(getExpression(["data", "items", 3, "product", "sku"], "line.sku", find)).toBe(
        "product.sku"
    );
    expect(
        getExpression(["collections", 0, "payments", 1, "id"], "payment.external_id", find)
    ).toBe("id");
    expect(getExpression(["receiver", "city"], "shipping_address.city", find)).toBe("city");
});

test("what stands elsewhere keeps its whole path", () => {
    expect(getExpression(["id"], "line.external_id", find)).toBe("id");
    expect(getExpression(["data", "total"], "order.total", find)).toBe("data.total");
});

test("a list is where all of it stands", () => {
    expect(getExpression(["data", "items", 0], "order.lines", find)).toBe("data.items");
});
