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
    for name in ("campaigns", "vendors"):
        (folder / name).mkdir(parents=True)
    return [_write(folder / name, text) for name, text in texts.items()]


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
