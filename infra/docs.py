"""Write the generated pages of docs/: dictionary, policy reference, layouts, vendors. `make docs` runs this."""

from pathlib import Path

from expectations.dictionary import dictionary_markdown
from tasks.policy.describe import model_section, policy_markdown
from tasks.policy.vendor_table import FOLDER as PROFILES
from tasks.policy.vendor_table import head_comment, limits_row, shipped
from tasks.policy.vendors import Vendor
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
_VENDORS = """\
# Vendors: what their machines accept

Generated from `tasks/policy/presets/vendors/` by `make docs`, and compared with it by a test: change the profiles, not
this page.

A profile is one YAML file that says what a vendor's machine accepts; files are rendered from it, split where its limits
are, and read back in tests by readers that share no code with what wrote them. A brand takes one by name and adds what
is its own; what it writes goes before the profile, field by field:

```yaml
# vendors/my_sms.yaml
preset: aliyun_sms
code: my_sms
sms: {{signature: 青禾}}
```

A vendor that is not here needs YAML alone: every field stands under
[vendors/&lt;code&gt;.yaml](policy.md#vendorscodeyaml), and `strata vendors check` tells what does not fit.

**[V]** was read in a page of the vendor's or in a public file, **[V2]** second-hand, **[K]** is general knowledge or
our own choice: ask the vendor before you rely on it.

Ids are never changed but brought into the vendor's form; texts that begin like a formula get an apostrophe in csv and
xlsx; every cell of a workbook is text. Limits on the bytes of csv and of requests are met to the byte; workbooks and
archives, whose size is known only once they are packed, come out a little smaller; a person who does not fit alone
stops the send. Under *text*, `70/67` says that up to 70 units are one message, and that longer ones are billed in parts
of 67.

Of a campaign with variants each request names the template of its people's variant, and the variables of that template
alone, those of the campaign and of the variant, in order of name: whoever drew another variant stands in another one.
Files of lines and workbooks hold all variants, told apart by the columns `variant`, `template` and `hour`; in a
request these stand only where a field asks for them (`variable:hour`). A seed gets the campaign's own template.

A vendor who refuses links in variables refuses an address with any ending before a path (`foo.ai/x`), a numeric one
(`1.2.3.4`) and a punycode one (`xn--…`) too; `DR.WU/达尔肤`, `12.50/kg` and `2026.11.22` are none. Whoever has one in a
variable is left out; one in a coupon code, or a code longer than `variable_most`, stops the send before anything goes.

{table}

## The profiles, with the source of every limit
{profiles}
"""


def pages() -> dict[str, str]:
    """Return file name to text, as docs/ must hold it."""
    return {
        "dictionary.md": dictionary_markdown(),
        "layouts.md": layouts_markdown(),
        "policy.md": policy_markdown(),
        "vendors.md": vendors_markdown(),
    }


def layouts_markdown() -> str:
    """Return the page about layouts: an example, the layouts that there are, every field of one."""
    rows = (f"| `{layout.name}` | {layout.channel} | {layout.grain} | {layout.about} |" for layout in built_in())
    page = _LAYOUTS.format(example=EXAMPLE.read_text(encoding="utf-8"), layouts="\n".join(rows))
    return f"{page}\n{model_section('Every field', Layout)}\n{model_section('corrections/<name>.yaml', Correction)}"


def vendors_markdown() -> str:
    """Return the page about vendors: their limits side by side, then every profile as it is written."""
    rows = [limits_row(vendor) for vendor in shipped()]
    headers = list(rows[0])
    lines = [headers, ["---"] * len(headers), *(list(row.values()) for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return _VENDORS.format(table=table, profiles="\n".join(_profile(vendor) for vendor in shipped()))


def _profile(vendor: Vendor) -> str:
    text = (PROFILES / f"{vendor.code}.yaml").read_text(encoding="utf-8")
    rules = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    return f"\n### {vendor.code}\n\n{head_comment(vendor.code)}\n\n```yaml\n{rules}\n```"


def write_pages() -> None:
    """Write every generated page."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_pages()
