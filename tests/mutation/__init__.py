"""Mutation tests: `make mutants` (docs/testing.md)."""

import tomllib
from pathlib import Path

_HERE = Path(__file__).parent

MODULES: dict[str, list[str]] = tomllib.loads((_HERE / "modules.toml").read_text())
"""The tests of each module that is mutated."""
EQUIVALENTS: set[tuple[str, ...]] = {
    (each["module"], each["function"], each["line"], each["becomes"])
    for each in tomllib.loads((_HERE / "equivalents.toml").read_text()).get("equivalent", [])
}
"""The mutants that no test can tell from the original."""
