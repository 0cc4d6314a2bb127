"""Where in a policy folder something is written: from a path such as `tiers.tiers.2.up_fen` to a file and a line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Step = str | int


@dataclass(frozen=True, order=True)
class Place:
    """A line of a file; line 0 is the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        """Give it as editors and compilers do."""
        return f"{self.file}:{self.line}" if self.line else self.file


class Places:
    """The lines of every YAML file that a policy is read from."""

    def __init__(self, single: Mapping[str, Path], many: Mapping[str, Sequence[Path]], root: Path) -> None:
        """`single` are parts of one file each, `many` parts of one file for each entry, named relative to `root`."""
        self._root = root
        self._files = single
        self._many = many
        self._nodes: dict[Path, Any] = {}

    def paths(self) -> Iterator[Path]:
        """Every file."""
        yield from self._files.values()
        for files in self._many.values():
            yield from files

    def of(self, path: Path, line: int = 0) -> Place:
        """A line of a file."""
        inside = path.is_relative_to(self._root)
        return Place(str(path.relative_to(self._root)) if inside else f"defaults/{path.name}", line)

    def at(self, *steps: Step) -> Place:
        """Where the path is written, or the deepest part of it that is; steps that no file knows are passed over."""
        part, rest = str(steps[0]), list(steps[1:])
        if part in self._files:
            path = self._files[part]
        elif part in self._many and rest and isinstance(rest[0], int):
            path = self._many[part][rest[0]]
            rest = rest[1:]
        else:
            return Place(part)
        return self.of(path, _line(self._node(path), rest))

    def _node(self, path: Path) -> Any:
        if path not in self._nodes:
            self._nodes[path] = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return self._nodes[path]


def _line(node: Any, steps: Sequence[Step]) -> int:
    """The line of the deepest node on the way; a mapping's entry stands where its key does."""
    line = 1 if node is None else node.start_mark.line + 1
    for step in steps:
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        elif isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
            if found:
                line, node = found[0].start_mark.line + 1, found[1]
    return line
