"""Draws figures as SVG, without a library: bars are rectangles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_COLOURS = ("#9aa5b1", "#1f6feb", "#d4a72c", "#57ab5a")
_BAR, _GAP, _LABEL, _WIDTH = 16, 22, 380, 420


def bars(groups: Sequence[str], series: Mapping[str, Sequence[float]]) -> str:
    """A group of horizontal bars for each load, a bar for each server, with its figure."""
    largest = max(value for values in series.values() for value in values)
    parts: list[str] = []
    y = 30
    for index, group in enumerate(groups):
        parts.append(f'<text x="10" y="{y + _BAR}" font-weight="bold">{escape(group)}</text>')
        for number, (name, values) in enumerate(series.items()):
            length = values[index] / largest * _WIDTH
            parts.append(f'<text x="{_LABEL - 8}" y="{y + _BAR - 4}" text-anchor="end">{escape(name)}</text>')
            parts.append(
                f'<rect x="{_LABEL}" y="{y}" width="{length:.1f}" height="{_BAR - 3}" fill="{_COLOURS[number]}"/>'
            )
            parts.append(f'<text x="{_LABEL + length + 6:.1f}" y="{y + _BAR - 4}">{values[index]:.2f}</text>')
            y += _BAR
        y += _GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LABEL + _WIDTH + 60}" height="{y}" '
    head += 'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
    title = '<text x="10" y="18">Events a second, to the requests a second of Sanic answering an empty POST = 1</text>'
    return "\n".join([head, title, *parts, "</svg>", ""])
