"""What every policy model is made from: the frozen base, and the words that all of them use."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Rule(BaseModel):
    """Base of every policy model: frozen, an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def added(default: Any, description: str | None = None, **more: Any) -> Any:
    """A field that policies of before do not have: where it says its default it is left out of what is stored.

    So a policy that was stored before the field existed keeps its digest.
    """
    return Field(default=default, description=description, exclude_if=lambda value: value == default, **more)


def _is_pattern(text: str) -> str:
    """Refuse what is no expression, and what Polars has no word for."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    if re.search(r"\(\?[=!<]|\\\d", text):
        raise ValueError(f"{text!r} looks around or back, which Polars cannot")
    return text


Pattern = Annotated[str, AfterValidator(_is_pattern)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="English code, stable for ever")]
Condition = Annotated[str, Field(min_length=1, description="SQL expression over the customer's columns and tags")]


class Label(Rule):
    """What people read; the code is what data holds."""

    zh: str = Field(description="Chinese")
    en: str = Field(description="English")
