"""JSON text, document by document: lines, the members of a list, or those of the one list inside an object.

A line that is no object is refused alone. Inside a list there is no telling where the next document
would begin, so a fault there refuses the file. No document is held that is longer than `MAX_CHARS`.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tasks.errors import BadFileError

Document = dict[str, Any]
MAX_CHARS = 8 << 20
_DEEPEST = 8
"""Objects around the list; what vendors' interfaces answer has two."""
_SHOWN_CHARS = 1000
_MOST_PASSED = 100_000
_SPACE = " \t\r\n"
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


class Found(NamedTuple):
    """One document of the file, by its number; None when it is refused, then with the reason and the text."""

    number: int
    document: Document | None
    rule: str = ""
    raw: str = ""
    chars: int = 0
    """Length of its text."""


def read_lines(blocks: Iterator[str]) -> Iterator[Found]:
    """One document per line that is not blank."""
    number = 0
    for line, is_whole in _lines(blocks):
        if line.strip():
            number += 1
            found = _parse(line) if is_whole else None
            rule = "" if found is not None else "not_a_json_object" if is_whole else "record_too_long"
            yield Found(number, found, rule, "" if found is not None else line, len(line))


def _lines(blocks: Iterator[str]) -> Iterator[tuple[str, bool]]:
    """Lines, and whether each is whole: of one that is too long only the beginning is kept."""
    rest, is_whole = "", True
    for block in blocks:
        *lines, last = block.split("\n")
        for line in lines:
            yield (rest + line if is_whole else rest), is_whole and len(rest) + len(line) <= MAX_CHARS
            rest, is_whole = "", True
        rest = rest + last if is_whole else rest
        if len(rest) > MAX_CHARS:
            rest, is_whole = rest[:_SHOWN_CHARS], False
    yield rest, is_whole


def _parse(line: str) -> Document | None:
    try:
        document = _DECODER.decode(line.strip(_SPACE))
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and _is_writable(document, line) else None


def _is_writable(document: Document, text: str) -> bool:
    r"""False for a lone surrogate, which no encoding can write; only a `\u` can spell one."""
    if "\\u" not in text:
        return True
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def read_list(blocks: Iterator[str], name: str) -> Iterator[Found]:
    """One document per member of the file's list, which stands at the top or inside objects.

    Raises:
        BadFileError: no JSON, cut off, no list of objects, or two of them.
    """
    feed = _Feed(blocks, name)
    lists = 0
    for number, member in enumerate(_members(feed, 0), start=1):
        lists = max(lists, feed.lists)
        if lists > 1:
            raise feed.wrong("holds two lists of objects", "one list, or one object a line")
        yield _found(number, member, feed)
    if feed.peek():
        raise feed.wrong("goes on behind the end of its document", "one document")
    if not feed.lists:
        raise feed.wrong("holds no list of objects", "a list of objects, or one object a line")


def _found(number: int, member: Any, feed: "_Feed") -> Found:
    if isinstance(member, dict) and _is_writable(member, feed.last):
        return Found(number, member, chars=len(feed.last))
    return Found(number, None, "not_a_json_object", feed.last)


class _Feed:
    """A window on the text that moves on; at most one document and one block long."""

    def __init__(self, blocks: Iterator[str], name: str) -> None:
        self._blocks = blocks
        self._name = name
        self._text = ""
        self._at = 0
        self._gone = 0
        self.lists = 0
        self.last = ""

    def peek(self) -> str:
        """Return the next character that is not white space; empty at the end of the file."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, *expected: str) -> str:
        """Move over the next character, which must be one of those expected."""
        found = self.peek()
        if found not in expected or not found:
            raise self.wrong("is no JSON, or was cut off,", f"`{'` or `'.join(expected)}`")
        self._at += 1
        return found

    def value(self) -> Any:
        """Read one whole value."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or not self._more():
                    raise self.wrong("is no JSON, or was cut off,", "a whole JSON document") from error
            else:
                if end < len(self._text) or not self._more():
                    self._refuse_long(end - self._at)
                    self.last = self._text[self._at : end] if isinstance(value, dict) else str(value)[:_SHOWN_CHARS]
                    self._at = end
                    return value

    def _more(self) -> bool:
        """Take in another block; False at the end of the file."""
        block = next(self._blocks, "")
        self._gone += self._at
        self._text, self._at = self._text[self._at :] + block, 0
        self._refuse_long(len(self._text) - len(block))
        return bool(block)

    def _refuse_long(self, length: int) -> None:
        if length > MAX_CHARS:
            raise self.wrong(f"holds a document of more than {MAX_CHARS} characters", "documents of a few lines")

    def wrong(self, what: str, expected: str) -> BadFileError:
        """Say what is wrong, and where."""
        return BadFileError(
            f"{self._name} {what} at character {self._gone + self._at}", expected=expected,
            next_step="export it again, or look at it",
        )  # fmt: skip


def _members(feed: _Feed, depth: int) -> Iterator[Any]:
    """Members of every list of objects that stands at this place or in an object here."""
    opening = feed.peek()
    if opening == "[":
        yield from _of_list(feed)
    elif opening == "{" and depth < _DEEPEST:
        yield from _of_object(feed, depth)
    else:
        feed.value()


def _of_object(feed: _Feed, depth: int) -> Iterator[Any]:
    feed.take("{")
    if feed.peek() == "}":
        feed.take("}")
        return
    ending = ","
    while ending == ",":
        feed.peek()
        feed.value()
        feed.take(":")
        yield from _members(feed, depth + 1)
        ending = feed.take(",", "}")


def _of_list(feed: _Feed) -> Iterator[Any]:
    """Members of a list of objects; a short list of anything else is passed over."""
    feed.take("[")
    is_wanted = feed.peek() in {"{", "]"}
    feed.lists += feed.peek() == "{"
    ending = "]" if feed.peek() == "]" else ","
    if ending == "]":
        feed.take("]")
    passed = 0
    while ending == ",":
        member = feed.value()
        if is_wanted:
            yield member
        elif (passed := passed + 1) > _MOST_PASSED:
            raise feed.wrong(f"holds more than {_MOST_PASSED} values that are no objects", "a list of objects")
        ending = feed.take(",", "]")


Reader = Callable[[Iterator[str]], Iterator[Found]]
