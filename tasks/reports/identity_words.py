"""What the codes of the identity tables are called on the page."""

from tasks.reports.words import Labels, Text

KEY_TYPES: Labels = {
    "member": Text("会员卡", "member card"),
    "unionid": Text("微信 unionid", "unionid"),
    "openid": Text("微信 openid", "openid"),
    "external_userid": Text("企微客户", "WeCom contact"),
    "ouid": Text("淘系 ouid", "Tmall ouid"),
    "omid": Text("淘系 omid", "Tmall omid"),
    "nick": Text("淘宝昵称", "Taobao nick"),
    "jd_pin": Text("京东账号", "JD pin"),
    "doudian_open_id": Text("抖店 open_id", "Doudian open_id"),
    "shopify_customer": Text("独立站客户", "web shop customer"),
    "square_customer": Text("Square 客户", "Square customer"),
    "user_id": Text("登录账号", "log-in"),
    "phone": Text("手机号", "phone"),
    "email": Text("邮箱", "e-mail"),
}
CLASSES: Labels = {
    "strong": Text("强：只属于一人", "strong: one person's"),
    "linking": Text("连接：可能共用", "linking: may be shared"),
    "weak": Text("弱", "weak"),
}
RULES: Labels = {
    "cap": Text("超出上限", "over the cap"),
    "cannot_link": Text("声明为不同人", "declared two persons"),
    "hub": Text("公共号码", "tells of too many"),
    "crowded": Text("一条记录标识过多", "too many keys on one record"),
}
CHANGES: Labels = {
    "merged_into": Text("合并", "merged into another"),
    "split_from": Text("拆出", "split off"),
    "moved": Text("标识转移", "keys moved over"),
    "dissolved": Text("解散", "dissolved"),
}
GUARDS: Labels = {
    "max_component": Text("最大客户的标识数", "keys of the largest customer"),
    "max_changed_share": Text("客户号变动占比", "share of customer ids that changed"),
    "max_refused_share": Text("矛盾连接占比", "share of links that contradict each other"),
}
