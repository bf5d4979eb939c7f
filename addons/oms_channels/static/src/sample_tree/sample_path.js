/** Where the objects of a group stand in an order: the lines of the mapping that say it. */
export const CONTAINERS = {
    line: "order.lines",
    shipping: "order.shippings",
    payment: "order.payments",
    refund_request: "order.refund_requests",
    shipping_address: "order.shipping_address",
    billing_address: "order.billing_address",
};

/**
 * The JMESPath expression of a place in a sample.
 *
 * @param {(string|number)[]} path keys and positions from the top
 */
export function toExpression(path) {
    let text = "";
    for (const key of path) {
        if (typeof key === "number") {
            text += `[${key}]`;
        } else {
            const name = /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) ? key : JSON.stringify(key);
            text += text ? `.${name}` : name;
        }
    }
    return text || "@";
}

/** The names in a container's expression, without filters and positions: items of items[?x]. */
export function getNames(expression) {
    return (expression || "")
        .replace(/\[[^\]]*\]/g, "")
        .split(".")
        .filter((name) => name);
}

/**
 * The expression that a line of the mapping needs for a place in the sample: a line's begins at the order's line.
 *
 * @param {(string|number)[]} path
 * @param {string} target for example "line.sku"
 * @param {(target: string) => string} findExpression what another line of the mapping says
 */
export function getExpression(path, target, findExpression) {
    const container = CONTAINERS[target.split(".")[0]];
    if (Object.values(CONTAINERS).includes(target)) {
        const end = path.findLastIndex((key) => typeof key === "string");
        return toExpression(path.slice(0, end + 1));
    }
    const names = container ? getNames(findExpression(container)) : [];
    if (!names.length) {
        return toExpression(path);
    }
    let position = 0;
    for (const name of names) {
        while (typeof path[position] === "number") {
            position++;
        }
        if (path[position] !== name) {
            return toExpression(path);
        }
        position++;
    }
    while (typeof path[position] === "number") {
        position++;
    }
    return toExpression(path.slice(position));
}
