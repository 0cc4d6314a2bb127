"""Our own source as syntax trees, for tests that read the code."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PRODUCTION = ("expectations", "tasks", "flows", "infra")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules(*folders: str) -> dict[str, ast.Module]:
    """Path below the root to syntax tree, for every module of the folders (or single files) named."""
    paths = (path for folder in folders for path in _python_files(ROOT / folder))
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(paths)}


def _python_files(path: Path) -> Iterator[Path]:
    return path.rglob("*.py") if path.is_dir() else iter([path])


def nodes(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield every node with `path:line` of the place where it stands."""
    for path, tree in modules(*folders).items():
        for node in ast.walk(tree):
            yield f"{path}:{getattr(node, 'lineno', 0)}", node


def functions(*folders: str) -> Iterator[tuple[str, Function]]:
    """Yield every function with the place where it stands."""
    for place, node in nodes(*folders):
        if isinstance(node, Function):
            yield place, node


def lines_of(node: Function) -> int:
    """Length of a function from `def` to its last line."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def decorators(node: Function) -> set[str]:
    """Last names of a function's decorators: `@prefect.task(...)` gives `task`."""
    calls = (decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in node.decorator_list)
    return {dotted(call).rsplit(".", 1)[-1] for call in calls}


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for a chain of names; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            return f"{dotted(value)}.{attribute}"
    return ""


def imports(*folders: str) -> Iterator[tuple[str, str]]:
    """Yield the place and the full name of everything that is imported, lazy imports included."""
    for place, node in nodes(*folders):
        match node:
            case ast.Import(names=names):
                yield from ((place, alias.name) for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((place, f"{module}.{alias.name}") for alias in names)


@cache
def committed() -> dict[str, bytes]:
    """Every file under version control, and what it holds now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    paths = (name for name in listed.stdout.split("\0") if name)
    return {name: (ROOT / name).read_bytes() for name in paths if (ROOT / name).is_file()}
