"""Finds the mutants of a module: each differs from it in one small change that its tests should notice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple, cast

_OTHER_OPERATOR: dict[type[ast.AST], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: (r"is\s+not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: (r"not\s+in", "in"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
    ast.Add: (r"\+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: (r"\*", "//"),
    ast.FloorDiv: ("//", "*"),
    ast.Div: ("/", "*"),
    ast.Mod: ("%", "//"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: (r"\|", "&"),
    ast.BitXor: (r"\^", "|"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
}
"""How an operator is found, and what takes its place."""
_OTHER_FUNCTION = {"min": "max", "max": "min", "any": "all", "all": "any"}


class Mutant(NamedTuple):
    """A change of a module, named so that it is known again when lines above it have changed."""

    function: str
    """Its qualified name; empty at the top of the module."""
    line: str
    """The first line that is changed, without its indentation."""
    becomes: str
    source: bytes
    """The whole module, changed."""

    @property
    def change(self) -> tuple[str, str, str]:
        """What names it."""
        return self[:3]


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def mutants(source: bytes) -> list[Mutant]:
    """Every mutant of a module, each once, in the order of its lines."""
    found: dict[tuple[str, ...], Mutant] = {}
    for function, edit in sorted(_Finder(source).edits(ast.parse(source), ""), key=lambda each: each[1]):
        mutated = source[: edit.start] + edit.text.encode() + source[edit.end :]
        number = source[: edit.start].count(b"\n")
        line, becomes = (text.split(b"\n")[number].decode().strip() for text in (source, mutated))
        found.setdefault((function, line, becomes), Mutant(function, line, becomes, mutated))
    return list(found.values())


class _Finder:
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def edits(self, node: ast.AST, function: str) -> Iterator[tuple[str, _Edit]]:
        """The edits in a node, each with the function that it is in."""
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            function = f"{function}.{node.name}".lstrip(".")
        yield from ((function, edit) for edit in self._own(node, function))
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):  # the checker of types knows of these
                continue
            for child in cast("list[object]", value) if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not _passed_over(child, function):
                    yield from self.edits(child, function)

    def _own(self, node: ast.AST, function: str) -> Iterator[_Edit]:
        match node:
            case ast.Compare(left, operators, rights):
                for (before, after), operator in zip(pairwise([left, *rights]), operators, strict=True):
                    yield self._swap(before, operator, after)
            case ast.BoolOp(operator, values):
                for before, after in pairwise(values):
                    yield self._swap(before, operator, after)
            case ast.BinOp(left, operator, right) if type(operator) in _OTHER_OPERATOR:
                yield self._swap(left, operator, right)
            case ast.AugAssign(target, operator, value):
                yield self._swap(target, operator, value)
                yield self._replace(node, "pass")
            case ast.UnaryOp(ast.Not(), operand):
                yield self._replace(node, self._text(operand))
            case ast.If(test) | ast.IfExp(test) if not isinstance(test, (ast.Compare, ast.UnaryOp)):
                yield self._replace(test, f"not ({self._text(test)})")
            case ast.Constant(bool(value)):
                yield self._replace(node, str(not value))
            case ast.Constant(int(value)) if function:  # a module's own are tuned: the next number is no fault
                yield self._replace(node, str(value + 1))
            case ast.Constant(float(value)) if function:
                yield self._replace(node, str(value * 2 or 1.0))
            case ast.Call(ast.Name(name) as called) if name in _OTHER_FUNCTION:
                yield self._replace(called, _OTHER_FUNCTION[name])
            case ast.Expr(ast.Call() | ast.Await()) | ast.Delete() | ast.Raise() | ast.Break() | ast.Continue():
                yield self._replace(node, "pass")
            case ast.Assign([ast.Attribute() | ast.Subscript()]) if not function.endswith("__init__"):
                yield self._replace(node, "pass")
            case _:
                pass

    def _swap(self, before: ast.expr, operator: ast.AST, after: ast.expr) -> _Edit:
        pattern, other = _OTHER_OPERATOR[type(operator)]
        start, end = self._span(before)[1], self._span(after)[0]
        found = re.search(pattern.encode(), self._source[start:end])
        assert found, (pattern, self._source[start:end])
        return _Edit(start + found.start(), start + found.end(), other)

    def _replace(self, node: ast.stmt | ast.expr, text: str) -> _Edit:
        return _Edit(*self._span(node), text)

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self._source[start:end].decode()

    def _span(self, node: ast.stmt | ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._lines[node.lineno - 1] + node.col_offset, self._lines[node.end_lineno - 1] + node.end_col_offset


def _passed_over(node: ast.AST, function: str) -> bool:
    """Whether a node has no mutants: what is logged, aliases of types, and f-strings, whose parts have no positions."""
    match node:
        case ast.JoinedStr() | ast.Expr(ast.Call(ast.Attribute(ast.Name("log")))):
            return True
        case ast.Assign(value=ast.Subscript()) | ast.BinOp(_, ast.BitOr(), ast.Constant(None)):
            return isinstance(node, ast.BinOp) or not function
        case _:
            return False
