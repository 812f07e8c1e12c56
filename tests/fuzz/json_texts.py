"""JSON as text, in every spelling that the grammar allows and some that it does not, and what a text's tokens are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import strategies as st

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.\w]+|[{}\[\],:]|\s+', re.DOTALL)
_ESCAPED = re.compile(r"(\\u[0-9a-fA-F]{4})|\\.|.", re.DOTALL)

_digits = st.text("0123456789", min_size=1, max_size=25)
_whole = st.one_of(
    st.just("0"), st.builds(str.__add__, st.sampled_from("123456789"), st.text("0123456789", max_size=30))
)
_made_numbers = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    _whole,
    st.one_of(st.just(""), _digits.map(".{}".format)),
    st.one_of(st.just(""), st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), _digits)),
)
numbers = st.one_of(
    st.sampled_from(["0", "-0", "-0.0", "1", "1.0", "1.00", "1e400", "-1E-400", "1E+05", "9007199254740993", "0.1"]),
    _made_numbers,
)


def _unit(piece: str) -> int:
    """The UTF-16 unit that an escape stands for, or 0."""
    _, _, digits = piece.partition("\\u")
    return int(digits or "0", 16)


def _is_surrogate(unit: int) -> bool:
    return 0xD800 <= unit < 0xE000


_code_units = st.integers(0, 0xFFFF).map("\\u{:04x}".format)
_halves = st.integers(0xD800, 0xDFFF).map("\\u{:04X}".format)
_paired = st.characters(min_codepoint=0x10000).map(
    lambda char: "".join(f"\\u{int.from_bytes(char.encode('utf-16-be')[at : at + 2]):04x}" for at in (0, 2))
)
_unescaped = st.characters(exclude_characters='"\\', exclude_categories=["Cs"], min_codepoint=0x20)
_escapes = st.sampled_from(['\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u2028"])


def _strings(*more: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    piece = st.one_of(_unescaped, st.sampled_from("aé🙂"), _escapes, _paired, *more)
    return st.lists(piece, max_size=6).map(lambda pieces: '"' + "".join(pieces) + '"')


strings = _strings(_code_units.filter(lambda escape: not _is_surrogate(_unit(escape))))
"""As the grammar has them."""
loose_strings = _strings(_code_units, _halves)
"""With lone surrogates among them."""

_space = st.sampled_from(["", "", "", " ", "\n", "\r\n\t"])


def _object(members: list[str], space: str) -> str:
    return "{" + (",".join(members) or space) + "}"


def _array(items: list[str], space: str) -> str:
    return f"[{space}" + f",{space}".join(items) + "]"


def objects_of(
    names: st.SearchStrategy[str], values: st.SearchStrategy[str], max_size: int = 4
) -> st.SearchStrategy[str]:
    members = st.builds("{0}{2}{1}:{0}{3}{1}".format, _space, _space, names, values)
    return st.builds(_object, st.lists(members, max_size=max_size), _space)


def _values(scalars: st.SearchStrategy[str], names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def nest(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(st.builds(_array, st.lists(inner, max_size=3), _space), objects_of(names, inner, 3))

    return st.recursive(scalars, nest, max_leaves=6)


_literals = st.sampled_from(["true", "false", "null"])
_never_json = st.sampled_from(["NaN", "Infinity", "-Infinity"])

values = _values(st.one_of(numbers, strings, _literals), strings)
objects = objects_of(strings, values)
loose_values = _values(st.one_of(numbers, loose_strings, _literals, _never_json), loose_strings)
loose_objects = objects_of(loose_strings, loose_values)


def tokens(text: str) -> list[str]:
    """The text's tokens as they are spelt, without the white space between them."""
    found = [match[0] for match in _TOKEN.finditer(text)]
    assert "".join(found) == text, text
    return [token for token in found if not token.isspace()]


def kept(sent: Sequence[str]) -> list[str]:
    """What tokens become on the way: NaN and Infinity null, half a surrogate pair `\\ufffd`, nothing else anything."""
    return [
        "null" if token in ("NaN", "Infinity", "-Infinity") else _whole_surrogates(token) if token[0] == '"' else token
        for token in sent
    ]


def _whole_surrogates(token: str) -> str:
    parts: list[str] = []
    pieces = [match[0] for match in _ESCAPED.finditer(token)]
    while pieces:
        piece = pieces.pop(0)
        if _unit(piece) in range(0xD800, 0xDC00) and pieces and _unit(pieces[0]) in range(0xDC00, 0xE000):
            parts += [piece, pieces.pop(0)]
        else:
            parts.append(r"\ufffd" if _is_surrogate(_unit(piece)) else piece)
    return "".join(parts)
