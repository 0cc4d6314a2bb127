"""Words that many back offices share, so that a layout names their table (`codes: payments`) and does not list them."""

from collections.abc import Mapping

_PAYMENTS = {
    "alipay": ("支付宝", "Alipay", "花呗", "花呗分期", "蚂蚁花呗"),
    "wechat": ("微信支付", "微信", "WeChat Pay", "WeChat", "财付通"),
    "card": (
        "银行卡", "信用卡", "储蓄卡", "刷卡", "银联", "云闪付", "快捷支付", "Credit Card", "Debit Card", "Card", "Visa",
        "Mastercard", "American Express", "Amex", "Discover", "JCB", "UnionPay", "China UnionPay", "Diners Club",
        "Interac", "Shopify Payments", "Stripe", "Braintree",
    ),
    "cod": ("货到付款", "Cash on delivery", "COD", "cashondelivery"),
    "other": (
        "现金", "Cash", "PayPal", "paypal_express", "Bank Transfer", "banktransfer", "Direct bank transfer", "checkmo",
        "Check / Money order", "Check payments", "Gift Card", "manual", "free", "Apple Pay", "Google Pay", "Klarna",
        "抖音支付", "DOU分期", "京东支付", "白条", "京东白条", "多多支付", "先用后付", "QQ钱包", "余额", "余额支付",
        "储值卡", "储值卡支付", "会员卡", "公司转账", "银行转账", "邮局汇款", "找人代付", "代付", "其他",
    ),
    None: ("在线支付", "线上支付", "无", "-"),
}  # fmt: skip
"""How an order was paid. `在线支付` says no more than that it was not on delivery."""
CODES: Mapping[str, dict[str, str | None]] = {
    "payments": {word: code for code, words in _PAYMENTS.items() for word in words},
}
PREFIXES: Mapping[str, dict[str, str | None]] = {
    "payments": {
        "支付宝": "alipay", "Alipay": "alipay", "微信": "wechat", "WeChat": "wechat", "银行卡": "card",
        "信用卡": "card", "Credit Card": "card", "Debit Card": "card", "货到付款": "cod",
        "Cash on delivery": "cod", "PayPal": "other",
    },
}  # fmt: skip
"""Beginnings of words, behind which shops and plugins write more: `微信支付-小程序`, `Credit Card (Stripe)`."""
