"""Laws that the code is read for: who imports what, no clock in transforms, how long a function is."""

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.source import (
    PRODUCTION,
    ROOT,
    decorators,
    dotted,
    functions,
    imports,
    lines_of,
    modules,
    nodes,
)

PURE = ("expectations", "tasks/transforms", "tasks/sources")
CLOCKS = {"now", "today", "utcnow", "time", "time_ns", "monotonic", "perf_counter"}
CLOCK_OWNERS = {"datetime", "date", "time", "dt", "datetime.datetime", "datetime.date"}
ENVIRONMENT = {"os.environ", "os.getenv"}
EVERYTHING = {"Exception", "BaseException"}
CHANCE_AND_SURROUNDINGS = ("random", "secrets", "uuid", "os", "time", "numpy.random", "tempfile", "socket")
OWNERS = {
    "prefect": ("flows/", "tasks/steps/"),
    "great_expectations": ("tasks/gate.py", "expectations/suites.py"),
    "boto3": ("tasks/stores/",),
    "botocore": ("tasks/stores/",),
    "deltalake": ("tasks/stores/",),
}


def test_arrows_run_one_way():
    linter = Path(sys.executable).parent / "lint-imports"
    found = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("package", OWNERS)
def test_a_package_is_imported_by_its_owner_alone(package):
    strangers = [
        place
        for place, name in imports(*PRODUCTION)
        if name.split(".")[0] == package and not place.startswith(OWNERS[package])
    ]
    assert strangers == []


def test_no_flow_shadows_a_standard_module():
    """Prefect puts the folder of an entrypoint first on the path."""
    assert [path.name for path in (ROOT / "flows").iterdir() if path.stem in sys.stdlib_module_names] == []


def test_pure_code_reads_no_clock():
    calls = ((place, node.func) for place, node in nodes(*PURE) if isinstance(node, ast.Call))
    clocks = [
        place
        for place, func in calls
        if isinstance(func, ast.Attribute) and func.attr in CLOCKS and dotted(func.value) in CLOCK_OWNERS
    ]
    assert clocks == []


def test_pure_code_imports_neither_chance_nor_surroundings():
    found = [
        f"{place} {name}"
        for place, name in imports(*PURE)
        if any(name == banned or name.startswith(f"{banned}.") for banned in CHANCE_AND_SURROUNDINGS)
    ]
    assert found == []


def test_pure_code_draws_no_sample():
    drawn = [
        place for place, node in nodes(*PURE) if isinstance(node, ast.Attribute) and node.attr in {"sample", "shuffle"}
    ]
    assert drawn == []


def test_few_files_know_the_environment():
    """Settings read it, failpoints are for tests, and the gate turns its library's analytics off."""
    readers = {place.split(":")[0] for place, node in nodes("expectations", "tasks") if dotted(node) in ENVIRONMENT}
    assert readers <= {"tasks/settings.py", "tasks/stores/failpoints.py", "tasks/__init__.py", "tasks/gate.py"}


def test_a_handler_of_everything_raises_again():
    handlers = ((place, node) for place, node in nodes(*PRODUCTION) if isinstance(node, ast.ExceptHandler))
    broad = [(place, node) for place, node in handlers if node.type is None or dotted(node.type) in EVERYTHING]
    assert [place for place, node in broad if ast.dump(node.body[-1]) != ast.dump(ast.Raise())] == []


def test_no_assert_in_production():
    assert [place for place, node in nodes(*PRODUCTION) if isinstance(node, ast.Assert)] == []


def test_a_module_says_what_it_is_about():
    assert [path for path, tree in modules(*PRODUCTION).items() if not ast.get_docstring(tree)] == []


def test_the_median_function_is_short():
    assert statistics.median(lines_of(node) for _, node in functions(*PRODUCTION)) <= 12


def test_no_function_is_long():
    assert [f"{place} {node.name}" for place, node in functions(*PRODUCTION) if lines_of(node) > 45] == []


def test_little_code_stands_inside_tasks_and_flows():
    total = sum(len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path in modules(*PRODUCTION))
    inside = sum(lines_of(node) for _, node in functions(*PRODUCTION) if decorators(node) & {"task", "flow"})
    assert inside / total <= 0.15


def test_a_step_is_at_most_thirty_lines():
    steps = ((place, node) for place, node in functions("tasks/steps") if decorators(node) & {"task"})
    assert [place for place, node in steps if lines_of(node) > 30] == []
