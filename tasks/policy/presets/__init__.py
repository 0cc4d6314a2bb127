"""Ready-made parts of a policy by name: `preset: mother_and_baby` in rfm.yaml, `aliyun_sms` in vendors/*.yaml."""

from importlib import resources
from pathlib import Path
from typing import Any

from tasks.errors import BadPolicyError
from tasks.policy.documents import read_yaml

_DEEP = frozenset({"vendors"})
_FOLDER = Path(str(resources.files(__name__)))


def with_preset(part: str, given: Any) -> Any:
    """What a file of the policy says, over the preset that it names; as it is where it names none.

    Raises:
        BadPolicyError: there is no such preset.
    """
    if not isinstance(given, dict) or given.get("preset") is None:
        return given
    path = _FOLDER / part / f"{given['preset']}.yaml"
    if not path.is_file():
        raise BadPolicyError(
            f"{part}.yaml: there is no preset {given['preset']}", expected=f"one of {', '.join(names(part))}"
        )
    return _over(read_yaml(path), given) if part in _DEEP else {**read_yaml(path), **given}


def _over(preset: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What is given over the preset, mapping by mapping: a signature alone leaves the other rules of `sms` standing."""
    both = {
        name: _over(preset[name], given[name])
        for name in preset.keys() & given.keys()
        if _are_maps(preset, given, name)
    }
    return {**preset, **given, **both}


def _are_maps(preset: dict[str, Any], given: dict[str, Any], name: str) -> bool:
    return isinstance(preset[name], dict) and isinstance(given[name], dict)


def names(part: str) -> tuple[str, ...]:
    """The presets that a part of the policy has, by name."""
    return tuple(sorted(path.stem for path in (_FOLDER / part).glob("*.yaml")))
