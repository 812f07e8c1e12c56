"""The lists of modules, tests and equivalents name what is there, and mutants are the changes that they should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mutation import EQUIVALENTS, MODULES
from tests.mutation.mutants import mutants

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("module", MODULES)
def test_module_and_its_tests_are_there(module: str) -> None:
    assert [path for path in (module, *MODULES[module]) if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_mutant_is_python_and_a_known_equivalent_is_one_of_them(module: str) -> None:
    found = mutants((ROOT / module).read_bytes())
    for mutant in found:
        compile(mutant.source, module, "exec")
    equivalents = {tuple(change) for name, *change in EQUIVALENTS if name == module}
    assert equivalents - {mutant.change for mutant in found} == set()


def test_equivalents_are_of_modules_that_are_mutated() -> None:
    assert {module for module, *_ in EQUIVALENTS} <= set(MODULES)


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("a < b >= c", ["a <= b >= c", "a < b > c"]),
        ("a not  in b", ["a in b"]),
        ("a and b or é and c", ["a and b and é and c", "a and b or é or c", "a or b or é and c"]),
        ("not a", ["a"]),
        ("(a) + (b) * 2", ["(a) + (b) * 3", "(a) + (b) // 2", "(a) - (b) * 2"]),
        ("a -= 1", ["a += 1", "a -= 2", "pass"]),
        ("min(a, True)", ["max(a, True)", "min(a, False)", "pass"]),
        ("await a(0.0)", ["await a(1.0)", "pass"]),
        ("a.b = c", ["pass"]),
        ("a = b if c else d", ["a = b if not (c) else d"]),
        ("raise A", ["pass"]),
        ("b: int | None = a", []),
        ("log.info(a + b)", []),
        ("a(f'{b + c}')", ["pass"]),
    ],
)
def test_mutants_of_a_line(line: str, changes: list[str]) -> None:
    source = f"async def function():\n    {line}\n"
    assert sorted(mutant.becomes for mutant in mutants(source.encode())) == sorted(changes)
