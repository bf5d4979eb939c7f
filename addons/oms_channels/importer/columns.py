"""The columns of an order file: one row a line, what belongs to the order repeated."""

import re
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """:param kind: text, code (a text that Excel likes to take for a number), number, money, time, date or bool
    :param path: where it goes in the order; ("lines", name) for what belongs to the row's line
    """

    key: str
    english: str
    chinese: str
    kind: str
    path: tuple
    example: str = ""
    is_required: bool = False

    @property
    def is_line(self):
        return self.path[0] == "lines"


_ADDRESS, _LINE = "shipping_address", "lines"

COLUMNS = (
    Column("order_id", "Order ID", "订单编号", "code", ("external_id",), example="A10001", is_required=True),
    Column(
        "placed_at", "Order Time", "下单时间", "time", ("placed_at",), example="2026-03-01 10:00:00", is_required=True
    ),
    Column("reference", "Reference", "参考号", "code", ("reference",)),
    Column("currency", "Currency", "币种", "text", ("currency",)),
    Column("buyer_id", "Buyer ID", "买家ID", "code", ("buyer", "id"), example="u2001"),
    Column("buyer_name", "Buyer", "买家", "text", ("buyer", "name")),
    Column("email", "Email", "邮箱", "text", ("buyer", "email")),
    Column("name", "Receiver", "收货人", "text", (_ADDRESS, "name"), example="张三"),
    Column("phone", "Phone", "手机", "code", (_ADDRESS, "phone"), example="013800000000"),
    Column("country", "Country", "国家", "text", (_ADDRESS, "country_code"), example="CN"),
    Column("province", "Province", "省份", "text", (_ADDRESS, "province"), example="浙江省"),
    Column("city", "City", "城市", "text", (_ADDRESS, "city"), example="杭州市"),
    Column("district", "District", "区县", "text", (_ADDRESS, "district"), example="西湖区"),
    Column("street", "Street", "详细地址", "text", (_ADDRESS, "street"), example="文三路 90 号"),
    Column("zip", "Zip", "邮编", "code", (_ADDRESS, "zip"), example="010020"),
    Column("sku", "SKU", "商品编码", "code", (_LINE, "sku"), example="MOUSE", is_required=True),
    Column("title", "Product", "商品名称", "text", (_LINE, "title"), example="鼠标"),
    Column("quantity", "Quantity", "数量", "number", (_LINE, "quantity"), example="2", is_required=True),
    Column("cancelled", "Cancelled Quantity", "取消数量", "number", (_LINE, "cancelled_quantity")),
    Column("price_unit", "Unit Price", "单价", "money", (_LINE, "price_unit"), example="19.90", is_required=True),
    Column("discount", "Line Discount", "行优惠", "money", (_LINE, "discount_amount"), example="0"),
    Column("discount_source", "Discount Source", "优惠来源", "text", (_LINE, "discounts", "source")),
    Column("discount_code", "Discount Code", "优惠码", "text", (_LINE, "discounts", "code")),
    Column("tax_rate", "Tax Rate", "税率", "number", (_LINE, "tax_rate")),
    Column("shipping", "Shipping", "运费", "money", ("shippings", "amount"), example="10.00"),
    Column("paid", "Paid", "实付金额", "money", ("payments", "amount"), example="49.80"),
    Column("payment_id", "Payment ID", "支付单号", "code", ("payments", "external_id")),
    Column("payment_method", "Payment Method", "支付方式", "text", ("payments", "provider")),
    Column("refunded", "Refunded", "已退金额", "money", ("payments", "refunded_amount")),
    Column("fee", "Payment Fee", "支付手续费", "money", ("payments", "fee_amount")),
    Column("total", "Total", "订单总额", "money", ("total",)),
    Column("ship_by", "Ship By", "最晚发货时间", "time", ("ship_by",)),
    Column("note", "Buyer Note", "买家留言", "text", ("note",)),
    Column("seller_note", "Seller Note", "卖家备注", "text", ("seller_note",)),
)
# Other headings that files from elsewhere have.
ALIASES = {
    "order_id": "订单号|单号|订单id|order number|order no|external id",
    "placed_at": "订单时间|创建时间|订单创建时间|date|order date|placed at",
    "reference": "外部单号",
    "currency": "货币",
    "buyer_id": "买家id|会员id|会员编号",
    "buyer_name": "买家昵称|买家姓名|customer|customer name",
    "email": "电子邮箱|e-mail",
    "name": "收件人|收货人姓名|收件人姓名|姓名|recipient|name",
    "phone": "电话|手机号|手机号码|联系电话|收货人电话|收件人手机|mobile",
    "country": "国家代码|country code",
    "province": "省|state",
    "city": "市",
    "district": "区|县|区/县|county",
    "street": "地址|收货地址|收件地址|address",
    "zip": "邮政编码|zip code|postal code|postcode",
    "sku": "货号|商家编码|sku编码|规格编码|item code",
    "title": "商品|品名|product name|title",
    "quantity": "商品数量|购买数量|qty",
    "cancelled": "已取消数量|qty cancelled",
    "price_unit": "商品单价|价格|price",
    "discount": "优惠|优惠金额|discount",
    "tax_rate": "税率%|tax %",
    "shipping": "邮费|shipping fee|freight",
    "paid": "已付金额|支付金额|paid amount",
    "refunded": "退款金额|已退款金额|refunded amount",
    "fee": "手续费|fee",
    "payment_id": "交易号|支付流水号|transaction id",
    "total": "订单金额|应付金额|order total",
    "ship_by": "承诺发货时间",
    "note": "买家备注|note",
    "seller_note": "商家备注|备注",
}
BY_KEY = {column.key: column for column in COLUMNS}


def normalise(heading):
    """A heading without what people write differently: case, width, blanks, stars, brackets with a remark."""
    text = unicodedata.normalize("NFKC", str(heading)).strip().casefold()
    return re.sub(r"[\s*_:]+|\(.*?\)", "", text)


_KNOWN = {
    normalise(name): column
    for column in COLUMNS
    for name in (column.key, column.english, column.chinese, *ALIASES.get(column.key, "").split("|"))
}


def find_columns(headings):
    """Match the headings of a file.

    :return: ({position: Column}, headings that mean nothing to us, required columns that are missing, Columns that
        are there twice)
    """
    found, unknown, twice = {}, [], []
    for position, heading in enumerate(headings):
        if heading is None or not str(heading).strip():
            continue
        column = _KNOWN.get(normalise(heading))
        if not column:
            unknown.append(str(heading).strip()[:40])
        elif column in found.values():
            twice.append(column)
        else:
            found[position] = column
    missing = [column for column in COLUMNS if column.is_required and column not in found.values()]
    return found, unknown, missing, twice
