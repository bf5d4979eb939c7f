"""The documents sent to Vendure's Admin API."""

ERROR = """... on ErrorResult { errorCode message }"""
ADDRESS = "fullName company streetLine1 streetLine2 city province postalCode countryCode phoneNumber"
DISCOUNT = "adjustmentSource type description amountWithTax"

# The last entry of the history and how many there are tell what Order.updatedAt does not: placement, payment, shipping
# and refunds. The cancellations say which of them were returns of ours.
ORDER = f"""
    id code state active orderPlacedAt createdAt updatedAt currencyCode couponCodes totalWithTax
    promotions {{ id couponCode }}
    customer {{ id firstName lastName emailAddress phoneNumber }}
    shippingAddress {{ {ADDRESS} }}
    billingAddress {{ {ADDRESS} }}
    lines {{
        id quantity orderPlacedQuantity unitPriceWithTax proratedUnitPrice proratedUnitPriceWithTax
        proratedLinePrice proratedLinePriceWithTax taxRate
        discounts {{ {DISCOUNT} }}
        productVariant {{ id sku name product {{ id name }} }}
    }}
    shippingLines {{
        id price priceWithTax discountedPrice discountedPriceWithTax
        shippingMethod {{ code name }}
        discounts {{ {DISCOUNT} }}
    }}
    surcharges {{ id description price priceWithTax taxRate }}
    payments {{
        id createdAt updatedAt transactionId amount method state
        refunds {{ id createdAt updatedAt total state reason lines {{ orderLineId quantity }} }}
    }}
    fulfillments {{ id state method trackingCode createdAt updatedAt lines {{ orderLineId quantity }} }}
    lastEntry: history(options: {{take: 1, sort: {{createdAt: DESC}}}}) {{ totalItems items {{ createdAt }} }}
    cancellations: history(options: {{take: 100, filter: {{type: {{eq: "ORDER_CANCELLATION"}}}}}}) {{
        items {{ createdAt data }}
    }}
"""
SETTINGS = "globalSettings { serverConfig { moneyStrategyPrecision } }"

ORDERS = f"query ($options: OrderListOptions) {{ orders(options: $options) {{ items {{ {ORDER} }} }} {SETTINGS} }}"
ONE_ORDER = f"query ($id: ID!) {{ order(id: $id) {{ {ORDER} }} {SETTINGS} }}"
SHOP = """{
    activeChannel { id code token defaultCurrencyCode pricesIncludeTax }
    stockLocations { items { id name } }
    me { channels { code token permissions } }
}"""
LOCATIONS = "{ stockLocations { items { id name } } }"
VARIANTS = """query ($options: ProductVariantListOptions) { productVariants(options: $options) { totalItems items {
    id sku name price priceWithTax currencyCode enabled product { id name enabled }
} } globalSettings { serverConfig { moneyStrategyPrecision } } }"""
STOCK = """query ($options: ProductVariantListOptions) { productVariants(options: $options) { items {
    id sku trackInventory stockLevels { stockLocationId stockOnHand stockAllocated }
} } }"""
SET_STOCK = """mutation ($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { id } }"""
FULFILL = f"""mutation ($input: FulfillOrderInput!) {{ addFulfillmentToOrder(input: $input) {{
    __typename ... on Fulfillment {{ id state }} {ERROR}
    ... on CreateFulfillmentError {{ fulfillmentHandlerError }}
}} }}"""
MOVE_FULFILLMENT = f"""mutation ($id: ID!, $state: String!) {{ transitionFulfillmentToState(id: $id, state: $state) {{
    __typename ... on Fulfillment {{ id state }} {ERROR}
    ... on FulfillmentStateTransitionError {{ transitionError }}
}} }}"""
CANCEL = f"""mutation ($input: CancelOrderInput!) {{ cancelOrder(input: $input) {{
    __typename ... on Order {{ id state }} {ERROR}
    ... on OrderStateTransitionError {{ transitionError }}
}} }}"""
REFUND = f"""mutation ($input: RefundOrderInput!) {{ refundOrder(input: $input) {{
    __typename ... on Refund {{ id state total }} {ERROR}
}} }}"""
SETTLE_REFUND = f"""mutation ($input: SettleRefundInput!) {{ settleRefund(input: $input) {{
    __typename ... on Refund {{ id state }} {ERROR}
}} }}"""
