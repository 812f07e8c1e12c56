"""Fails where a client has as many hand-written lines as it may not have, and prints how many each has.

Counted are lines of code: not those that are blank, or have a comment or a docstring alone. Tests, benches and
generated code are left out.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pygments import lexers
from pygments.token import Comment, String

LIMIT = 250
CLIENTS = Path(__file__).parent
# Where each language's sources are, and the folders in them that are not written by hand, or not the client.
SOURCES = {
    "Go": ("go/**/*.go", {"tracksidev1", "bench"}),
    "Java": ("java/src/main/java/**/*.java", {"v1"}),
    "Python": ("python/trackside_client/**/*.py", set[str]()),
    "TypeScript": ("typescript/src/**/*.ts", {"gen"}),
}


def lines_of_code(file: Path) -> int:
    lines: set[int] = set()
    number = 1
    for kind, text in lexers.get_lexer_for_filename(file.name, stripnl=False).get_tokens(file.read_text("utf-8")):
        for index, part in enumerate(text.split("\n")):
            number += index > 0
            if part.strip() and kind not in Comment and kind not in String.Doc:
                lines.add(number)
    return len(lines)


def main() -> int:
    sizes = {
        language: sum(
            lines_of_code(file)
            for file in CLIENTS.glob(pattern)
            if not others & set(file.relative_to(CLIENTS).parts) and not file.name.endswith("_test.go")
        )
        for language, (pattern, others) in SOURCES.items()
    }
    for language, size in sizes.items():
        print(f"{language:10} {size:4} lines by hand{'' if size < LIMIT else f': {LIMIT} or more'}")
    return max(sizes.values()) >= LIMIT


if __name__ == "__main__":
    sys.exit(main())
