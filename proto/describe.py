"""Writes docs/openapi.json and docs/schema from the protos and the routes of the HTTP front."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from event_model import json_schema
from event_model.json_schema import Schema
from http_front import openapi
from http_front.app import build
from http_front.config import FrontConfig
from service.record import SENT_TIMESTAMP, STAMPED

DOCS = Path(__file__).parents[1] / "docs"
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def documents() -> dict[Path, str]:
    """The text of every file that this script writes, by its path."""
    app = build(FrontConfig(), "trackside-described")
    found = {DOCS / "openapi.json": openapi.document(app)}
    events = json_schema.events(_ref)
    records = json_schema.records(name for name in STAMPED if name != SENT_TIMESTAMP)
    found |= {DOCS / "schema" / f"{name.lower()}.json": _alone(name, events) for name in events if name != "Context"}
    found[DOCS / "schema" / "record.json"] = _alone("Record", records)
    return {path: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for path, document in found.items()}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _alone(name: str, schemas: dict[str, Schema]) -> dict[str, Any]:
    """A schema with all that it refers to."""
    needed: dict[str, Schema] = {}
    pending = _named(schemas[name])
    while pending:
        other = pending.pop()
        if other not in needed:
            needed[other] = schemas[other]
            pending |= _named(schemas[other])
    return {"$schema": DIALECT, **schemas[name], "$defs": dict(sorted(needed.items()))}


def _named(part: Any) -> set[str]:
    """The schemas that a part of a schema refers to."""
    if isinstance(part, list):
        return {name for each in part for name in _named(each)}  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"].rpartition("/")[2]} if isinstance(part.get("$ref"), str) else set()  # pyright: ignore
    return own.union(*map(_named, part.values()))  # pyright: ignore


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is not current")
    arguments = parser.parse_args()
    texts = documents()
    known = {DOCS / "openapi.json", *(DOCS / "schema").glob("*.json")}
    stale = sorted(
        path for path in known | set(texts) if not path.exists() or path.read_text("utf-8") != texts.get(path)
    )
    if arguments.check:
        for path in stale:
            print(f"{path.relative_to(DOCS.parent)} is not current, run `make generate`", file=sys.stderr)
        return int(bool(stale))
    for path in stale:
        if path in texts:
            path.parent.mkdir(exist_ok=True)
            path.write_text(texts[path], "utf-8")
        else:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
