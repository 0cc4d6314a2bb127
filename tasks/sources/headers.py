"""Header text made comparable: what differs only in spelling is the same header."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

_INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")


def normalise_header(text: str) -> str:
    """Fold full-width forms and case, drop BOM, white space and invisible characters."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()


def unique_names(headers: Iterable[str]) -> tuple[str, ...]:
    """Give each column a name: its normalised header, `#2` and so on for the same header again.

    Youzan's order export has `分销员` twice; a header may also be empty (a trailing comma).
    """
    counts: Counter[str] = Counter()
    names: dict[str, None] = {}
    for header in headers:
        name = normalise_header(header)
        counts[name] += 1
        unique = name if counts[name] == 1 else f"{name}#{counts[name]}"
        while unique in names:  # a header may itself be called `x#2`
            counts[name] += 1
            unique = f"{name}#{counts[name]}"
        names[unique] = None
    return tuple(names)
