"""Write the generated pages of docs/: dictionary, policy reference, layouts. `make docs` runs this."""

from pathlib import Path

from expectations.dictionary import dictionary_markdown
from tasks.policy.describe import model_section, policy_markdown
from tasks.sources.corrections import Correction
from tasks.sources.layouts import Layout, built_in

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
EXAMPLE = ROOT / "tasks/sources/channels/complete_journey_mailings.yaml"
_LAYOUTS = """\
# Layouts: how an export becomes rows

Generated from `tasks/sources/` by `make docs`, and compared with it by a test: change the layouts, not this page.

A layout is one YAML file that says how the export of one back office is recognised and read. A file is recognised by
the **set of its headers**, after BOM, blanks and full-width forms are folded; its name and the order of its columns do
not matter. Two layouts that fit equally well are an error, never a guess.

Everything is text until the parser of its column has read it, strictly: `01380013800` stays what it is, a bad byte
refuses the file, a bad value refuses its row under a rule's name. What the brand has no use for is listed under
`known`, so that a header nobody has seen before shows up as drift.

To add a format for a brand, follow [sources.md](sources.md): `strata sources new` drafts the YAML, which lies in
`layouts/` beside the brand's policy. To add one for everybody, save a small sample with invented people, and write the
YAML beside those in `tasks/sources/channels/`. A layout of the brand's takes the place of ours of the same name.

```yaml
{example}```

## What comes with Strata

| layout | channel | one row is | where the file comes from |
|---|---|---|---|
{layouts}
"""


def pages() -> dict[str, str]:
    """Return file name to text, as docs/ must hold it."""
    return {"dictionary.md": dictionary_markdown(), "layouts.md": layouts_markdown(), "policy.md": policy_markdown()}


def layouts_markdown() -> str:
    """Return the page about layouts: an example, the layouts that there are, every field of one."""
    rows = (f"| `{layout.name}` | {layout.channel} | {layout.grain} | {layout.about} |" for layout in built_in())
    page = _LAYOUTS.format(example=EXAMPLE.read_text(encoding="utf-8"), layouts="\n".join(rows))
    return f"{page}\n{model_section('Every field', Layout)}\n{model_section('corrections/<name>.yaml', Correction)}"


def write_pages() -> None:
    """Write every generated page."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages()
