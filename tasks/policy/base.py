"""What every policy model is made from."""

from pydantic import BaseModel, ConfigDict


class Rule(BaseModel):
    """Base of every policy model: frozen, an unknown field is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
