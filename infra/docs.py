"""Write the generated pages of docs/: the dictionary and the policy reference. `make docs` runs this."""

from pathlib import Path

from expectations.dictionary import dictionary_markdown
from tasks.policy.describe import policy_markdown

DOCS = Path(__file__).parent.parent / "docs"


def pages() -> dict[str, str]:
    """Return file name to text, as docs/ must hold it."""
    return {"dictionary.md": dictionary_markdown(), "policy.md": policy_markdown()}


def write_pages() -> None:
    """Write every generated page."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages()
