"""What `strata init` writes: every policy file with its defaults, in a folder that the brand owns."""

from importlib import resources
from pathlib import Path

from tasks.errors import ConfigurationError

_BRAND = """\
code: {brand}
name: {{zh: {brand}, en: {brand}}}
zone: Asia/Shanghai        # months and days are cut here
currency: CNY
key_name: {brand}-1        # your own key: set STRATA_KEY, or a file of mode 0600 is made on first use
shops: {{}}                  # channel: shop id, where the file does not say
"""
_LAYOUT = """\
# A layout of your own, for an export that Strata does not know: docs/sources.md goes through it step by step.
# `strata sources new FILE --out {folder}/layouts/my_till.yaml` drafts one from a file's headers; the file bears the
# layout's name. A layout here that bears the name of one that comes with Strata takes its place.
#
# name: my_till
# channel: pos
# about: The till in the shop, Reports / Sales / Export
# grain: line
# money: paid_fen
# columns:
#   order_id: {{header: Receipt No., parse: id}}
#   …
"""
_CORRECTION = """\
# A known error of a source, mended on the way in until the source is: docs/sources.md says how.
#
# name: freight_times_ten
# why: Freight is printed ten times too high since the update of 1 June (ticket 4711)
# owner: data
# layout: youzan_orders
# among: freight_fen > 0            # rows in which the error can occur
# where: freight_fen >= 8000        # rows of those that show it
# set: {{freight_fen: "DIV(freight_fen, 10)"}}
# since: 2026-06-01                 # first export date with the error
# until: 2026-12-31                 # last export date for which somebody looked; later files are refused
"""


def scaffold(folder: Path, brand: str) -> list[Path]:
    """Write the policy files and return their paths.

    Raises:
        ConfigurationError: the folder holds something already; nothing is overwritten.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} is not empty", expected="a new folder", next_step="name another one")
    defaults = Path(str(resources.files("tasks.policy") / "defaults"))
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(defaults.glob("*.yaml"))}
    texts["brand.yaml"] = _BRAND.format(brand=brand)
    texts |= {"layouts/example.yaml": _LAYOUT.format(folder=folder), "corrections/example.yaml": _CORRECTION.format()}
    for name in ("campaigns", "vendors", "layouts", "corrections"):
        (folder / name).mkdir(parents=True)
    return [_write(folder / name, text) for name, text in texts.items()]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
