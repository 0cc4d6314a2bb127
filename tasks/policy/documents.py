"""What a brand says about its export files, as plain data: `layouts/*.yaml` and `corrections/*.yaml`.

A document is carried word for word in the policy, so that a past run can be replayed with the layouts
and corrections of its day. What it means, and whether it is sound, tasks/sources says.
"""

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from tasks.errors import BadPolicyError

Document = dict[str, Any]


def read_documents(folder: Path) -> list[Document]:
    """One document per file that holds anything, by name; a folder that is not there has none.

    Raises:
        BadPolicyError: a file is not YAML, is no mapping, or does not bear its document's name.
    """
    written = ((path, read_yaml(path)) for path in sorted(folder.glob("*.yaml")))
    return [_document(path, content) for path, content in written if content is not None]


def read_yaml(path: Path) -> Any:
    """The content of a file; BadPolicyError when it is not YAML in UTF-8."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadPolicyError(f"{path} is not YAML: {error}", next_step="correct the file") from error


def _document(path: Path, content: Any) -> Document:
    if not isinstance(content, dict) or content.get("name") != path.stem:
        raise BadPolicyError(
            f"{path} does not begin with `name: {path.stem}`", expected="a document that bears its file's name",
            next_step="give both the same name, or comment the whole file out",
        )  # fmt: skip
    document: Document = _plain(content, str(path))
    return document


def _plain(value: Any, where: str) -> Any:
    """The value as JSON can hold it, so that a document read back from the lake is the same one.

    YAML makes a date of `2026-06-01`, a number of `1:` and true of `yes:`; as a key only text means what it says.
    """
    if isinstance(value, dict):
        return {_key(key, where): _plain(entry, where) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry, where) for entry in value]
    return value.isoformat() if isinstance(value, date) else value


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise BadPolicyError(
            f"{where}: the name `{key}` is no text to YAML but {type(key).__name__}", expected="text",
            next_step="put the word in quotes",
        )  # fmt: skip
    return key
