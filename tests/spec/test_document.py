"""docs/specification.md is complete, and what it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent.parent
DOCUMENT = (TESTS.parent / "docs" / "specification.md").read_text("utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", DOCUMENT)


def defined_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_test_that_is_named_exists() -> None:
    missing = [f"{file}::{name}" for file, name in NAMED if name not in defined_in(TESTS / file)]
    assert missing == []
    assert len(re.findall(r"::", DOCUMENT)) == len(NAMED)


def test_every_test_of_the_specification_is_named() -> None:
    named = set(NAMED)
    left_out = [
        f"{path.name}::{name}"
        for path in sorted((TESTS / "spec").glob("test_*.py"))
        for name in sorted(defined_in(path))
        if path != Path(__file__) and (f"spec/{path.name}", name) not in named
    ]
    assert left_out == []


def test_every_heading_of_the_specification_is_there_in_its_order() -> None:
    listed = re.search(r"^The headings: (.+?)\.$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert listed is not None
    headings = [" ".join(heading.split()) for heading in listed[1].split(";")]
    assert len(headings) == 19
    assert re.findall(r"^## (.+)$", DOCUMENT, re.MULTILINE) == headings


def test_every_row_names_its_tests() -> None:
    rows = [
        line for line in DOCUMENT.splitlines() if line.startswith("|") and not line.startswith(("|---", "| The sp"))
    ]
    assert [row for row in rows if "::" not in row] == []
