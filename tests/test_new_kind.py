"""A new kind of event, and a new field of an old one, are a change of the proto: no Python is written for them."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.cli.serving import Serve, Serving
from tests.running import read_lines

ROOT = Path(__file__).parent.parent
PACKAGES = ("cli", "event_model", "http_front", "service", "proto")
FIELD = """
  // Optional. What sort of page it is.
  string category = 4;
"""
KIND = """
    // Records what a user consents to, or no longer does.
    Consent consent = 26 [(routes) = {
      long: "consent"
      short: "c"
      pixel: "consent"
    }];
"""
MESSAGE = """
// What a user consents to, or no longer does.
message Consent {
  // Required. What it is for.
  string purpose = 1 [(buf.validate.field).required = true, (member).alias = "consentPurpose"];
  // Optional. Whether it is given.
  optional bool given = 2;
  // Optional. How sure that is.
  optional double confidence = 3 [(buf.validate.field).double = {gte: 0, lte: 1}];
  // Optional. Since when.
  google.protobuf.Timestamp given_at = 4;
  // Optional. What it covers.
  oneof scope_form {
    // Optional. As a Struct.
    google.protobuf.Struct scope = 5;
    // Optional. As the text of one JSON object.
    string scope_json = 6;
  }
}
"""
CONSENT = {
    "userId": "u-1",
    "purpose": "mail",
    "given": False,
    "confidence": 0.5,
    "givenAt": "2020-03-02T18:29:27.333Z",
    "scope": {"channels": ["news"], "max": 3},
}
PAGE = {"userId": "u-1", "name": "Home", "category": "landing"}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree with the changed proto, and the code that was generated from it."""
    tree = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    proto = tree / "proto" / "trackside" / "v1" / "event.proto"
    text = proto.read_text("utf-8")
    for place, more in (("message Page {\n", FIELD.lstrip("\n")), ("  oneof kind {\n", KIND)):
        assert text.count(place) == 1
        text = text.replace(place, place + more)
    proto.write_text(text + MESSAGE, "utf-8")
    subprocess.run([sys.executable, tree / "proto" / "generate.py"], check=True)
    return tree


@pytest.fixture(scope="module")
def serving(changed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """The collector of the changed tree."""
    serve = Serve(tmp_path_factory.mktemp("serving"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(changed), str(changed / "proto" / "gen")]))
        serving = serve()
    try:
        yield serving.ready()
    finally:
        serve.close()


@pytest.fixture(scope="module")
def queued(serving: Serving) -> dict[str, dict[str, Any]]:
    """The records of events that were sent by every door, by their messageIds."""
    sent = {
        "consent": {**CONSENT, "type": "consent"},
        "page": {**PAGE, "type": "page"},
    }
    with httpx.Client(base_url=serving.http, auth=("key", ""), timeout=20) as http:
        for kind, event in sent.items():
            answers = [
                http.post(f"/v1/{route}", json={**event, "messageId": f"{kind} {route}"}) for route in (kind, kind[0])
            ]
            data = base64.b64encode(json.dumps({**event, "messageId": f"{kind} pixel"}).encode()).decode()
            answers.append(http.get(f"/v1/pixel/{kind}", params={"data": data}))
            assert [answer.status_code for answer in answers] == [200] * 3, [answer.text for answer in answers]
        batch = [{**event, "messageId": f"{kind} batch"} for kind, event in sent.items()]
        assert http.post("/v1/batch", json={"batch": batch}).json() == {"Success": True}
    entries = [
        {"event": {"messageId": f"consent {form}", "userId": "u-1", "consent": consent}}
        for form, consent in (("Struct", own(CONSENT)), ("text", in_text(own(CONSENT))))
    ]
    page = {"event": {"messageId": "page gRPC", "userId": "u-1", "page": own(PAGE)}}
    outcomes = collect_batch(serving, {"entries": [*entries, page], "deliveries": [{"writeKey": "key"}]})["outcomes"]
    assert outcomes == ["OUTCOME_ACCEPTED"] * 3
    lines = read_lines(f"sqlite:///{serving.directory / 'data' / 'queue.db'}")
    return {record["messageId"]: record for record in map(json.loads, lines)}


def own(event: dict[str, Any]) -> dict[str, Any]:
    """What an event has besides the envelope's."""
    return {name: value for name, value in event.items() if name != "userId"}


def in_text(consent: dict[str, Any]) -> dict[str, Any]:
    return {**{k: v for k, v in consent.items() if k != "scope"}, "scopeJson": json.dumps(consent["scope"])}


def collect_batch(serving: Serving, request: dict[str, Any]) -> dict[str, Any]:
    """Call CollectBatch, knowing nothing of its messages but what the server tells by reflection."""
    with grpc.insecure_channel(serving.grpc) as channel:
        pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        method = pool.FindServiceByName("trackside.v1.CollectorService").methods_by_name["CollectBatch"]
        input_type, output_type = map(message_factory.GetMessageClass, (method.input_type, method.output_type))
        call = channel.unary_unary(
            "/trackside.v1.CollectorService/CollectBatch",
            request_serializer=input_type.SerializeToString,
            response_deserializer=output_type.FromString,
        )
        return json_format.MessageToDict(call(json_format.ParseDict(request, input_type())))


DOORS = {
    "consent": ("consent", "c", "pixel", "batch", "Struct", "text"),
    "page": ("page", "p", "pixel", "batch", "gRPC"),
}


@pytest.mark.parametrize(("kind", "door"), [(kind, door) for kind, doors in DOORS.items() for door in doors])
def test_record_has_what_was_sent(queued: dict[str, dict[str, Any]], kind: str, door: str) -> None:
    record = queued[f"{kind} {door}"]
    for name in ("context", "timestamp", "receivedAt"):
        record.pop(name, None)
    event = {"consent": CONSENT, "page": PAGE}[kind]
    assert record == {**event, "type": kind, "messageId": f"{kind} {door}", "writeKey": "key"}


@pytest.mark.parametrize(
    ("kind", "change", "code", "field"),
    [
        ("consent", {"purpose": None}, "required", "purpose"),
        ("consent", {"given": "yes"}, "wrong_type", "given"),
        ("consent", {"confidence": "high"}, "wrong_type", "confidence"),
        ("consent", {"confidence": 1.5}, "invalid_value", "confidence"),
        ("consent", {"givenAt": "once"}, "invalid_timestamp", "givenAt"),
        ("consent", {"scope": []}, "wrong_type", "scope"),
        ("page", {"category": 7}, "wrong_type", "category"),
    ],
)
def test_what_the_proto_says_is_enforced(
    serving: Serving, kind: str, change: dict[str, Any], code: str, field: str
) -> None:
    event = {"consent": CONSENT, "page": PAGE}[kind]
    answer = httpx.post(f"{serving.http}/v1/{kind}", json={"messageId": "1", **event, **change}, auth=("key", ""))
    assert (answer.status_code, answer.json()["code"], answer.json()["Details"]) == (400, code, field)


def test_alias_of_the_new_member_is_read(serving: Serving, queued: object) -> None:
    event = {"messageId": "alias", "consentPurpose": "ads", **CONSENT, "purpose": ""}
    assert httpx.post(f"{serving.http}/v1/c", json=event, auth=("key", "")).status_code == 200
    line = read_lines(f"sqlite:///{serving.directory / 'data' / 'queue.db'}")[-1]
    assert json.loads(line)["purpose"] == "ads"


def test_new_kind_and_member_are_in_the_openapi_document(serving: Serving) -> None:
    document = httpx.get(f"{serving.http}/openapi.json").json()
    assert {"/v1/consent", "/v1/c", "/v1/pixel/consent"} <= set(document["paths"])
    consent = document["components"]["schemas"]["Consent"]
    assert consent["properties"]["purpose"]["description"] == "What it is for."
    assert consent["properties"]["confidence"]["anyOf"][0] == {"type": "number", "minimum": 0, "maximum": 1}
    assert document["components"]["schemas"]["Page"]["properties"]["category"]["type"] == ["string", "null"]
