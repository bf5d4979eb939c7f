"""The documents sent to Shopify's Admin API. A test checks each against the published schema of ``API_VERSION``.

Shopify charges by what could be asked, not by what comes back: no document may cost more than 1,000 points, so pages
inside an order are short and what does not fit is asked for apart.
"""

API_VERSION = "2026-07"
LINES, PARCELS, PARCEL_LINES, REFUNDS, REFUND_LINES = 10, 5, 10, 5, 10
TRANSACTIONS, CHARGES, RETURNS, RETURN_LINES = 7, 5, 3, 5

MONEY = "{ shopMoney { amount currencyCode } }"
BOTH = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
ADDRESS = "name company address1 address2 city province provinceCode zip countryCodeV2 phone"
TAXES = f"taxLines {{ title ratePercentage priceSet {MONEY} }}"
DISCOUNTS = f"""discountAllocations {{ allocatedAmountSet {MONEY} discountApplication {{
    __typename ... on DiscountCodeApplication {{ code }} ... on AutomaticDiscountApplication {{ title }}
    ... on ManualDiscountApplication {{ title }} ... on ScriptDiscountApplication {{ title }}
}} }}"""
LINE = f"""
    id sku name quantity currentQuantity unfulfilledQuantity requiresShipping
    originalUnitPriceSet {MONEY} {DISCOUNTS} {TAXES}
    duties {{ id price {MONEY} {TAXES} }}
    variant {{ id barcode }}
    product {{ id }}
"""
TRANSACTION = f"""
    id kind status gateway createdAt processedAt manualPaymentGateway
    amountSet {BOTH} parentTransaction {{ id }} fees {{ amount {{ amount currencyCode }} }}
"""
SHIPPING_LINE = f"id title code originalPriceSet {MONEY} {DISCOUNTS} {TAXES}"
HEAD = f"""
    id name createdAt processedAt updatedAt cancelledAt cancelReason closedAt
    displayFinancialStatus displayFulfillmentStatus
    currencyCode presentmentCurrencyCode taxesIncluded email phone note clientIp discountCodes requiresShipping
    fullyPaid
    customer {{ id displayName }}
    shippingAddress {{ {ADDRESS} }}
    billingAddress {{ {ADDRESS} }}
    totalPriceSet {MONEY} totalTipReceivedSet {MONEY}
    additionalFees {{ id name price {MONEY} {TAXES} }}
    risk {{ recommendation assessments {{ riskLevel }} }}
    transactions(first: {TRANSACTIONS}) {{ {TRANSACTION} }}
"""
FULFILLMENT = f"""
    id status createdAt deliveredAt displayStatus
    trackingInfo(first: 5) {{ number url company }}
    fulfillmentLineItems(first: {PARCEL_LINES}) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ quantity lineItem {{ id }} }}
    }}
"""
REFUND = f"""
    id createdAt note
    refundLineItems(first: {REFUND_LINES}) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ quantity restockType lineItem {{ id }} }}
    }}
"""
RETURN_LINE = f"""
    id quantity returnReasonNote
    ... on ReturnLineItem {{ withCodeDiscountedTotalPriceSet {MONEY} fulfillmentLineItem {{ lineItem {{ id }} }} }}
"""
RETURN = f"""
    id status createdAt
    returnLineItems(first: {RETURN_LINES}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {RETURN_LINE} }} }}
"""
ORDER = f"""{HEAD}
    lineItems(first: {LINES}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {LINE} }} }}
    shippingLines(first: {CHARGES}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {SHIPPING_LINE} }} }}
    fulfillments(first: {PARCELS}) {{ {FULFILLMENT} }}
    refunds(first: {REFUNDS}) {{ {REFUND} }}
    returns(first: {RETURNS}) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {RETURN} }} }}
    fulfillmentOrders(first: 5) {{ nodes {{ id status fulfillAt fulfillBy }} }}
"""

# === READ === #

ORDERS = """query ($first: Int!, $after: String, $query: String!) {
    orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
        pageInfo { hasNextPage endCursor } nodes { id updatedAt }
    }
}"""
# What is needed to count orders: cheap enough for large pages.
ORDER_IDS = """query ($first: Int!, $after: String, $query: String!) {
    orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
        pageInfo { hasNextPage endCursor } nodes { id name createdAt processedAt }
    }
}"""
ONE_ORDER = f"query ($id: ID!) {{ order(id: $id) {{ {ORDER} }} }}"
MORE_LINES = f"""query ($id: ID!, $after: String) {{ order(id: $id) {{
    lineItems(first: {LINES}, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {LINE} }} }}
}} }}"""
MORE_CHARGES = f"""query ($id: ID!, $after: String) {{ order(id: $id) {{
    shippingLines(first: 25, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {SHIPPING_LINE} }} }}
}} }}"""
MORE_RETURNS = f"""query ($id: ID!, $after: String) {{ order(id: $id) {{
    returns(first: 10, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {RETURN} }} }}
}} }}"""
RETURN_CONTENT = f"""query ($id: ID!, $after: String) {{ return(id: $id) {{
    returnLineItems(first: 50, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {RETURN_LINE} }} }}
}} }}"""
# These are lists without a cursor: an order that has more of them is read again by these.
MORE_TRANSACTIONS = f"query ($id: ID!) {{ order(id: $id) {{ transactions(first: 100) {{ {TRANSACTION} }} }} }}"
MORE_PARCELS = f"query ($id: ID!) {{ order(id: $id) {{ fulfillments(first: 25) {{ {FULFILLMENT} }} }} }}"
MORE_REFUNDS = f"query ($id: ID!) {{ order(id: $id) {{ refunds(first: 25) {{ {REFUND} }} }} }}"
PARCEL_CONTENT = """query ($id: ID!, $after: String) { fulfillment(id: $id) {
    fulfillmentLineItems(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor } nodes { quantity lineItem { id } }
    }
} }"""
REFUND_CONTENT = """query ($id: ID!, $after: String) { refund(id: $id) {
    refundLineItems(first: 50, after: $after) {
        pageInfo { hasNextPage endCursor } nodes { quantity restockType lineItem { id } }
    }
} }"""
SHOP = """{
    shop { name myshopifyDomain currencyCode }
    currentAppInstallation { accessScopes { handle } }
    locations(first: 50) { nodes { id name fulfillsOnlineOrders } }
}"""
LOCATIONS = "{ locations(first: 50) { nodes { id name fulfillsOnlineOrders } } }"
VARIANTS = """query ($first: Int!, $after: String) {
    shop { currencyCode }
    productVariants(first: $first, after: $after, sortKey: ID) {
        pageInfo { hasNextPage endCursor }
        nodes { id sku barcode title price product { id title status } inventoryItem { id } }
    }
}"""
VARIANTS_BY_ID = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ProductVariant { id inventoryItem { id } } } }"""
VARIANTS_BY_SKU = """query ($query: String!) { productVariants(first: 100, query: $query) {
    nodes { id sku inventoryItem { id } }
} }"""
LEVELS = """query ($ids: [ID!]!, $location: ID!) { nodes(ids: $ids) { ... on InventoryItem {
    id inventoryLevel(locationId: $location) { quantities(names: ["available"]) { quantity } }
} } }"""
FULFILLMENT_ORDERS = """query ($id: ID!, $after: String) { order(id: $id) {
    fulfillmentOrders(first: 5, after: $after) { pageInfo { hasNextPage endCursor } nodes {
        id status assignedLocation { location { id } }
        lineItems(first: 80) { nodes { id remainingQuantity lineItem { id } } }
    } }
} }"""

# === WRITE === #

FULFILL = """mutation ($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { id status } userErrors { field message }
} }"""
FULFILLMENT_EVENT = """mutation ($event: FulfillmentEventInput!) { fulfillmentEventCreate(fulfillmentEvent: $event) {
    fulfillmentEvent { id status } userErrors { field message }
} }"""
CANCEL = """mutation ($id: ID!, $reason: OrderCancelReason!, $note: String) {
    orderCancel(
        orderId: $id, reason: $reason, staffNote: $note, restock: false, notifyCustomer: true
        refundMethod: { originalPaymentMethodsRefund: true }
    ) { job { id done } orderCancelUserErrors { field message } }
}"""
# Shopify answers the same to the same key, instead of paying twice.
CREATE_REFUND = """mutation ($input: RefundInput!, $key: String!) { refundCreate(input: $input) @idempotent(key: $key) {
    refund { id } userErrors { field message }
} }"""
APPROVE_RETURN = """mutation ($input: ReturnApproveRequestInput!) { returnApproveRequest(input: $input) {
    return { id status } userErrors { field message }
} }"""
DECLINE_RETURN = """mutation ($input: ReturnDeclineRequestInput!) { returnDeclineRequest(input: $input) {
    return { id status } userErrors { field message }
} }"""
SET_QUANTITIES = """mutation ($input: InventorySetQuantitiesInput!, $key: String!) {
    inventorySetQuantities(input: $input) @idempotent(key: $key) {
        inventoryAdjustmentGroup { id } userErrors { code field message }
    }
}"""

# === WEBHOOKS === #

WEBHOOKS = """query ($after: String) { webhookSubscriptions(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor } nodes { id topic uri includeFields }
} }"""
CREATE_WEBHOOK = """mutation ($topic: WebhookSubscriptionTopic!, $webhook: WebhookSubscriptionInput!) {
    webhookSubscriptionCreate(topic: $topic, webhookSubscription: $webhook) {
        webhookSubscription { id } userErrors { field message }
    }
}"""
UPDATE_WEBHOOK = """mutation ($id: ID!, $webhook: WebhookSubscriptionInput!) {
    webhookSubscriptionUpdate(id: $id, webhookSubscription: $webhook) {
        webhookSubscription { id } userErrors { field message }
    }
}"""
DELETE_WEBHOOK = """mutation ($id: ID!) { webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId userErrors { field message }
} }"""

# === BULK === #

# A bulk document knows no pages, and no connection inside a list: parcels and refunds come without their lines.
# ``%s`` is the filter, as JSON.
BULK_ORDERS = f"""{{ orders(query: %s, sortKey: UPDATED_AT) {{ edges {{ node {{
    {HEAD.replace(f"(first: {TRANSACTIONS})", "")}
    fulfillments {{ id status createdAt deliveredAt trackingInfo {{ number url company }} }}
    refunds {{ id createdAt note }}
    lineItems {{ edges {{ node {{ {LINE} }} }} }}
    shippingLines {{ edges {{ node {{ {SHIPPING_LINE} }} }} }}
}} }} }} }}"""
START_BULK = """mutation ($query: String!) { bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id status } userErrors { field message }
} }"""
BULK = """query ($id: ID!) { bulkOperation(id: $id) { id status errorCode objectCount url partialDataUrl } }"""

# === PAYOUTS === #

PAYOUTS = """query ($first: Int!, $after: String, $query: String) { shopifyPaymentsAccount {
    balanceTransactions(first: $first, after: $after, query: $query, sortKey: PROCESSED_AT) {
        pageInfo { hasNextPage endCursor }
        nodes {
            id type transactionDate test sourceOrderTransactionId
            amount { amount currencyCode } fee { amount currencyCode } net { amount currencyCode }
            associatedOrder { id name } associatedPayout { id status }
        }
    }
} }"""
# A movement names the transaction that moved the money. What the buyer paid by is where it goes back to: from a capture
# to its authorisation, from a refund to that or to a sale.
PAID_BY = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on OrderTransaction {
    id parentTransaction { id parentTransaction { id parentTransaction { id } } }
} } }"""
