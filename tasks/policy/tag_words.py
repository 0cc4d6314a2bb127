"""What a tag's rule is, in one line for people to read: the same words in terminal, explanation and page."""

from tasks.policy.tags import Imported, Keyword, Tag, Top, Window

_TAKES = {"count": "number of", "days": "days with", "sum": "sum of {} over", "largest": "largest {} of",
          "distinct": "different {} of"}  # fmt: skip


def rule_of(tag: Tag) -> str:
    """The rule as the policy has it, such as `sum of net_fen over orders, last 90 days ≥ 30000`."""
    text = _rule(tag)
    if tag.at_least is not None:
        text += f" ≥ {tag.at_least}"
    if tag.bands:
        text += f": {', '.join(f'{band.code} ≥ {band.at_least}' for band in tag.bands)}"
    return text if tag.valid_days is None else f"{text}; carried for {tag.valid_days} days"


def _rule(tag: Tag) -> str:
    if tag.window is not None:
        return _of_window(tag.window)
    if tag.top is not None:
        return _of_top(tag.top)
    if tag.imported is not None:
        return _of_imported(tag.imported)
    if tag.keyword is not None:
        return _of_keyword(tag.keyword)
    return tag.when or tag.value or tag.measure or ""


def _of_window(window: Window) -> str:
    taken = _TAKES[window.take].format(window.column)
    where = f" where {window.where}" if window.where else ""
    return f"{taken} {window.of}{where}, last {window.days} days"


def _of_top(top: Top) -> str:
    size = f"{top.percent} %" if top.percent is not None else str(top.count)
    among = f" among {top.among}" if top.among else ""
    return f"top {size} by {top.by}{among}, ties all {top.ties}"


def _of_imported(imported: Imported) -> str:
    sought = f"the tag {imported.tag}" if imported.tag else f"what follows {imported.prefix}"
    channel = f" of {imported.channel}" if imported.channel else ""
    return f"{sought} in {imported.table}{channel}"


def _of_keyword(keyword: Keyword) -> str:
    return f"{' or '.join(keyword.words)} in {', '.join(keyword.places)}, last {keyword.days} days"
