"""Why somebody is not in an audience: the words for each outcome, in the order in which they are asked."""

from tasks.reports.words import Labels, Text

OUTCOMES: Labels = {
    "base": Text("客户总数", "All customers"),
    "considered": Text("符合条件的客户", "Considered"),
    "rule_not_met": Text("不符合人群条件", "Rule not met"),
    "identity_changed": Text("仅因身份合并或拆分", "Merged or split"),
    "no_contact": Text("无联系方式", "No contact point"),
    "unreachable": Text("号码或地址失效", "Dead contact"),
    "no_consent": Text("未授权", "No consent"),
    "suppressed": Text("已退订", "Opted out"),
    "no_separate_consent": Text("未单独同意提供第三方", "No separate consent"),
    "no_profiling": Text("拒绝个性化推荐", "No profiling"),
    "bought_since": Text("评分后已购买", "Bought since"),
    "duplicate_contact": Text("联系方式重复", "Duplicate contact"),
    "capped": Text("触达频次超限", "Message cap"),
    "lower_priority": Text("让位其他活动", "Other campaign"),
    "over_budget": Text("超出预算", "Over budget"),
    "no_coupon": Text("优惠码不足", "No coupon left"),
    "global_holdout": Text("全局对照组", "Global holdout"),
    "holdout": Text("对照组", "Holdout"),
    "not_covered": Text("未纳入本次放量", "Not covered yet"),
    "withdrawn_since_plan": Text("计划后撤回授权", "Withdrew since"),
    "refused_text": Text("短信变量不合规", "Text refused"),
    "cancelled": Text("已取消", "Cancelled"),
    "planned": Text("计划触达", "Planned"),
    "delivered": Text("已交付", "Delivered"),
}

ORDER = tuple(OUTCOMES)
