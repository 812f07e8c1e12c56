"""What was sent is what is queued: every token of free-form JSON, on every door that takes text."""

from __future__ import annotations

import json

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st
from trackside.v1 import collector_service_pb2 as proto

from event_model import schema
from tests.doors import Texts, collect, collect_batch, text_of, to_event
from tests.fuzz.json_texts import kept, loose_objects, loose_strings, loose_values, tokens
from tests.fuzz.profile import examples
from tests.running import KEY, Running

FREE_FORM = {
    "identify": "traits",
    "group": "traits",
    "track": "properties",
    "page": "properties",
    "screen": "properties",
}
NEEDS = {"track": {"event": '"E"'}, "group": {"groupId": '"g"'}}
_records = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def known(kind: str) -> set[str]:
    """Names that a member of the record has, which are no names for an unnamed member."""
    kinds = schema.KINDS[kind].members
    names = {member.name for member in (*schema.ENVELOPE, *kinds)}
    return names | {member.options.alias for member in kinds} | {"type", "receivedAt"}


def spelt(token: str) -> str:
    """The name that a string token is, on the way out."""
    (name,) = kept([token])
    return json.loads(name)


@given(
    kind=st.sampled_from(sorted(FREE_FORM)),
    free=loose_objects,
    context=loose_objects,
    integrations=loose_objects,
    unnamed=st.dictionaries(loose_strings, loose_values, max_size=2),
)
@examples(80)
def test_what_was_sent_is_what_is_queued(
    trackside: Running, kind: str, free: str, context: str, integrations: str, unnamed: Texts
) -> None:
    names = [spelt(token) for token in unnamed]
    assume(len(set(names)) == len(names) and not known(kind) & set(names))
    free_form = {FREE_FORM[kind]: free, "context": context, "integrations": integrations}
    named = {"type": f'"{kind}"', "messageId": '"m"', "userId": '"u"', **NEEDS.get(kind, {}), **free_form}
    extra = ",".join(f"{token}:{value}" for token, value in unnamed.items())
    event = text_of(named)[:-1] + (f",{extra}" if extra else "") + "}"
    assume(len(event.encode()) <= 15_360)

    message = to_event(named)
    message.extra_json = f"{{{extra}}}" if extra else ""
    call = {"metadata": [("authorization", f"Bearer {KEY}")]}
    assert trackside.post(f"/v1/{kind}", event.encode()).status_code == 200
    neighbour = '{"type":"page","messageId":"n","userId":"u"}'
    assert trackside.post("/v1/batch", f'{{"batch":[{neighbour},{event}]}}'.encode()).status_code == 200
    collect(trackside, proto.CollectRequest(event=message), **call)
    collect_batch(trackside, proto.CollectBatchRequest(entries=[proto.Entry(event=message)]), **call)

    single, _, batch, unary, many = trackside.lines()
    for line in (single, batch, unary, many):
        assert b"\n" not in line
        record = {name: bytes(value).decode() for name, value in _records(line).items()}
        for name, text in free_form.items():
            assert tokens(record[name]) == kept(tokens(text))
        assert [name for name in record if name in names] == names
        for name, text in zip(names, unnamed.values(), strict=True):
            assert tokens(record[name]) == kept(tokens(text))
