"""What a batch says for all its events is merged beneath each, as a simple model has it."""

from __future__ import annotations

import json
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from trackside.v1 import collector_service_pb2 as proto

from tests.doors import Texts, collect_batch, text_of, to_delivery, to_event
from tests.fuzz.json_texts import numbers, objects_of, strings
from tests.fuzz.profile import examples
from tests.running import KEY, Running

# Few names, in several spellings, so that both sides often have the same.
_names = st.sampled_from(['"a"', '"b"', r'"\u0061"', '"c"', '"é"', r'"\u00e9"'])
_scalars = st.one_of(numbers, strings, st.sampled_from(["null", "true", "[]", "{}", '[{"a":1}]']))
_objects = st.recursive(_scalars, lambda inner: objects_of(_names, inner, 4), max_leaves=8).filter(
    lambda text: text.startswith("{")
)
_both = st.dictionaries(st.sampled_from(["context", "integrations"]), _objects)


def parsed(text: str | bytes) -> Any:
    """The value, its numbers as they are spelt. Of two members with one name the last counts."""
    return json.loads(text, parse_int=lambda digits: ("number", digits), parse_float=lambda digits: ("number", digits))


def merged(upper: Any, lower: Any) -> Any:
    if not (isinstance(upper, dict) and isinstance(lower, dict)):
        return cast("Any", upper)
    above, beneath = cast("dict[str, Any]", upper), cast("dict[str, Any]", lower)
    own = {name: merged(value, beneath[name]) if name in beneath else value for name, value in above.items()}
    return own | {name: value for name, value in beneath.items() if name not in above}


def in_order(value: Any) -> Any:
    """Objects as lists of pairs, so that comparing them compares their order too."""
    match value:
        case dict():
            return [(name, in_order(member)) for name, member in cast("dict[str, Any]", value).items()]
        case list():
            return [in_order(item) for item in cast("list[Any]", value)]
        case _:
            return value


@given(for_all=_both, own=st.lists(_both, min_size=1, max_size=3))
@examples(80)
def test_batch_merges_beneath_each_event(trackside: Running, for_all: Texts, own: list[Texts]) -> None:
    events = [{"type": '"page"', "messageId": '"m"', "userId": '"u"', **each} for each in own]
    body = text_of({"batch": "[" + ",".join(map(text_of, events)) + "]", **for_all})
    assert trackside.post("/v1/batch", body.encode()).status_code == 200
    entries = [proto.Entry(event=to_event(event)) for event in events]
    request = proto.CollectBatchRequest(entries=entries, deliveries=[to_delivery({"writeKey": f'"{KEY}"', **for_all})])
    assert not collect_batch(trackside, request).refusals

    lines = trackside.lines()
    assert lines[: len(own)] == lines[len(own) :]
    for line, each in zip(lines, own, strict=False):
        record = parsed(line)
        for name in ("context", "integrations"):
            if name in each or name in for_all:
                model = merged(parsed(each.get(name, "{}")), parsed(for_all.get(name, "{}")))
                assert in_order(record[name]) == in_order(model)
            else:
                assert name not in record
