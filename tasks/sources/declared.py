"""What a brand's policy declares about its export files: layouts of its own, and known errors of its sources."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from tasks.errors import BadPolicyError
from tasks.sources.corrections import Correction, check_correction
from tasks.sources.layouts import Layout, built_in

Document = Mapping[str, Any]
Model = TypeVar("Model", bound=BaseModel)


def layouts_of(documents: Sequence[Document]) -> tuple[Layout, ...]:
    """The layouts that hold for a brand, by name: those that come with Strata, and its own in their place.

    Raises:
        BadPolicyError: a document is no layout; the message names its file and the field.
    """
    own = [_read(Layout, document, "layouts") for document in documents]
    named = {layout.name: layout for layout in (*built_in(), *own)}
    return tuple(named[name] for name in sorted(named))


def corrections_of(documents: Sequence[Document], layouts: Sequence[Layout]) -> tuple[Correction, ...]:
    """The known errors of a brand's sources, by name, each checked against its layout.

    Raises:
        BadPolicyError: a document is no correction, or speaks of a layout or column that does not exist.
    """
    corrections = [_read(Correction, document, "corrections") for document in documents]
    for correction in corrections:
        check_correction(correction, layouts)
    return tuple(sorted(corrections, key=lambda correction: correction.name))


def _read(model: type[Model], document: Document, folder: str) -> Model:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise BadPolicyError(
            f"{folder}/{document.get('name')}.yaml: {place or 'the whole'}: {first['msg']}",
            expected="the fields that docs/layouts.md lists", next_step="correct the file",
        ) from error  # fmt: skip
