"""The specification's "Common Fields": the fields that every event may have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.running import KEY, NOW_TEXT, Running
from tests.spec.expectations import (
    MISSING_MESSAGE_ID,
    assert_accepted,
    assert_answer,
    assert_refused,
    batch,
    error,
    record,
    required,
    single,
)

KINDS = ("identify", "track", "page", "screen", "group", "alias")
NO_USER = single("userId or anonymousId is required", "userId", "required")


def event(message_id: str, **members: Any) -> dict[str, Any]:
    """An event that is one of any kind."""
    return {"messageId": message_id, "userId": "u", "event": "e", "groupId": "g", "previousId": "p", **members}


@pytest.mark.parametrize("kind", KINDS)
def test_anonymous_id_stands_in_for_user_id(trackside: Running, kind: str) -> None:
    sent = event(f"anonymous-{kind}", anonymousId="somebody")
    del sent["userId"]
    assert_accepted(trackside, trackside.post(f"/v1/{kind}", sent), record(kind, sent))


@pytest.mark.parametrize("kind", KINDS)
def test_user_id_is_enough_without_anonymous_id(trackside: Running, kind: str) -> None:
    sent = event(f"user-{kind}")
    assert_accepted(trackside, trackside.post(f"/v1/{kind}", sent), record(kind, sent))


@pytest.mark.parametrize("kind", KINDS)
def test_event_needs_a_user_id_or_an_anonymous_id(trackside: Running, kind: str) -> None:
    sent = event(f"nobody-{kind}", userId="", anonymousId=None)
    assert_refused(trackside, trackside.post(f"/v1/{kind}", sent), 400, NO_USER)


def test_both_ids_are_kept(trackside: Running) -> None:
    sent = event("both", anonymousId="somebody")
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


@pytest.mark.parametrize("absent", [{}, {"context": None}, {"context": ""}])
def test_context_is_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = event(f"context {absent}")
    assert_accepted(trackside, trackside.post("/v1/track", {**sent, **absent}), record("track", sent))


def test_context_is_kept(trackside: Running) -> None:
    sent = event("context", context={"locale": "en-US", "unheard": {"of": [1, None]}})
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


@pytest.mark.parametrize("value", ["page", 5, True, ["a"], [[]]])
def test_context_must_be_an_object(trackside: Running, value: Any) -> None:
    body = single("context must be an object", "context", "wrong_type")
    assert_refused(trackside, trackside.post("/v1/track", event("context", context=value)), 400, body)


@pytest.mark.parametrize("absent", [{}, {"integrations": None}, {"integrations": ""}])
def test_integrations_are_optional(trackside: Running, absent: dict[str, Any]) -> None:
    sent = event(f"integrations {absent}")
    assert_accepted(trackside, trackside.post("/v1/track", {**sent, **absent}), record("track", sent))


def test_integrations_enable_and_disable_destinations(trackside: Running) -> None:
    sent = event("integrations", integrations={"All": False, "Mixpanel": True, "Salesforce": {"option": 1}})
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


@pytest.mark.parametrize("field", ["integrations", "context", "properties"])
def test_empty_array_is_an_empty_object(trackside: Running, field: str) -> None:
    sent = event(f"array {field}")
    queued = record("track", {**sent, field: {}})
    assert_accepted(trackside, trackside.post("/v1/track", {**sent, field: []}), queued)


@pytest.mark.parametrize("value", ["All", 5, True, ["All"]])
def test_integrations_must_be_an_object(trackside: Running, value: Any) -> None:
    body = single("integrations must be an object", "integrations", "wrong_type")
    assert_refused(trackside, trackside.post("/v1/track", event("no", integrations=value)), 400, body)


@pytest.mark.parametrize("kind", KINDS)
def test_message_id_is_required(trackside: Running, kind: str) -> None:
    sent = event("", userId=f"no-{kind}")
    assert_refused(trackside, trackside.post(f"/v1/{kind}", sent), 400, MISSING_MESSAGE_ID)
    del sent["messageId"]
    assert_refused(trackside, trackside.post(f"/v1/{kind}", sent), 400, MISSING_MESSAGE_ID)


def test_message_id_must_be_a_string(trackside: Running) -> None:
    body = single("messageId must be a string", "messageId", "wrong_type")
    assert_refused(trackside, trackside.post("/v1/track", {**event(""), "messageId": 5}), 400, body)


def test_message_id_identifies_a_message_so_that_a_second_one_is_not_queued_again(trackside: Running) -> None:
    sent = event("unique")
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))
    assert_accepted(trackside, trackside.post("/v1/track", {**sent, "event": "again"}))
    assert_accepted(trackside, trackside.post("/v1/batch", {"batch": [{**sent, "type": "page"}]}))
    other = {**sent, "writeKey": "another"}
    assert_accepted(trackside, trackside.post("/v1/track", other), record("track", other))


def test_received_at_is_set_to_the_time_of_receipt(trackside: Running) -> None:
    assert_answer(trackside.post("/v1/track", event("received")), 200, {"Success": True})
    assert [queued["receivedAt"] for queued in trackside.queued()] == [NOW_TEXT]


@pytest.mark.parametrize("value", ["2001-01-01T00:00:00.000Z", None, 5, {"a": 1}])
def test_received_at_of_a_client_is_not_believed(trackside: Running, value: Any) -> None:
    sent = event(f"forged {value}")
    response = trackside.post("/v1/track", {**sent, "receivedAt": value})
    assert_accepted(trackside, response, record("track", sent))


def test_sent_at_corrects_a_clock_that_is_wrong(trackside: Running) -> None:
    # The sender's clock is an hour fast; the event happened ten seconds before it was sent.
    sent = event("skewed", timestamp="2023-11-14T23:13:10.000Z", sentAt="2023-11-14T23:13:20.000Z")
    corrected = {"timestamp": "2023-11-14T22:13:10.123Z", "originalTimestamp": "2023-11-14T23:13:10.000Z"}
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent, **corrected))


def test_sent_at_is_optional(trackside: Running) -> None:
    sent = event("no-sent-at", timestamp="2023-11-14T23:13:10.000Z")
    assert_accepted(trackside, trackside.post("/v1/track", {**sent, "sentAt": None}), record("track", sent))


def test_sent_at_without_a_timestamp_is_kept(trackside: Running) -> None:
    sent = event("sent-at-alone", sentAt="2023-11-14T23:13:20.000Z")
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


def test_timestamp_defaults_to_the_current_time(trackside: Running) -> None:
    sent = event("no-timestamp")
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent, timestamp=NOW_TEXT))
    sent = event("empty-timestamp")
    response = trackside.post("/v1/track", {**sent, "timestamp": ""})
    assert_accepted(trackside, response, record("track", sent, timestamp=NOW_TEXT))


def test_timestamp_of_imported_data_is_kept(trackside: Running) -> None:
    sent = event("imported", timestamp="1999-12-31T23:59:59.000Z")
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


@pytest.mark.parametrize(
    ("written", "queued"),
    [
        ("2015-11-10T00:45:23.412Z", "2015-11-10T00:45:23.412Z"),
        ("2015-11-10T00:45:23Z", "2015-11-10T00:45:23.000Z"),
        ("2015-11-10T00:45Z", "2015-11-10T00:45:00.000Z"),
        ("2015-11-10", "2015-11-10T00:00:00.000Z"),
        ("2015-11-10T00:45:23.412", "2015-11-10T00:45:23.412Z"),
        ("2015-11-10 00:45:23.412", "2015-11-10T00:45:23.412Z"),
        ("20151110T004523Z", "2015-11-10T00:45:23.000Z"),
        ("2015-11-10T02:15:23.412+01:30", "2015-11-10T00:45:23.412Z"),
        ("2015-11-09T16:45:23.412-0800", "2015-11-10T00:45:23.412Z"),
        ("2015-11-10T00:45:23.4Z", "2015-11-10T00:45:23.400Z"),
        ("2015-11-10T00:45:23.412345Z", "2015-11-10T00:45:23.412345Z"),
        ("2015-11-10T00:45:23.412345678Z", "2015-11-10T00:45:23.412345678Z"),
        ("2015-11-10T00:45:23.412345678+00:00", "2015-11-10T00:45:23.412345678Z"),
        ("2015-11-10T00:45:23,412Z", "2015-11-10T00:45:23.412Z"),
        ("2015-11-10T00:45:23.1234567890Z", "2015-11-10T00:45:23.123456789Z"),
        ("2015-314T00:45:23Z", "2015-11-10T00:45:23.000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31T24:00:00Z", "2017-01-01T00:00:00.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59.999999999Z"),
    ],
)
def test_times_are_iso_8601_strings(trackside: Running, written: str, queued: str) -> None:
    sent = event(f"iso {written}", timestamp=written)
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent, timestamp=queued))


@pytest.mark.parametrize("field", ["timestamp", "sentAt", "originalTimestamp"])
@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2015-13-10T00:45:23Z",
        "2015-02-30T00:00:00Z",
        "2015-11-10T25:00:00Z",
        "2015-11-10T00:45:23.Z",
        "20151110004523Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2015-11-10T00:45:23.412Z and more",
        "٢٠١٥-11-10",
    ],
)
def test_time_that_cannot_be_read_is_refused(trackside: Running, field: str, value: str) -> None:
    body = single(f"{field} must be an ISO 8601 time", field, "invalid_timestamp")
    assert_refused(trackside, trackside.post("/v1/track", event("time", **{field: value})), 400, body)


@pytest.mark.parametrize("field", ["timestamp", "sentAt", "originalTimestamp"])
@pytest.mark.parametrize("value", [7, -1447116323, 1e30, True, {"seconds": 1}, ["2015-11-10"]])
def test_time_that_is_no_string_is_refused(trackside: Running, field: str, value: Any) -> None:
    body = single(f"{field} must be an ISO 8601 time", field, "wrong_type")
    assert_refused(trackside, trackside.post("/v1/track", event("time", **{field: value})), 400, body)


@pytest.mark.parametrize("field", ["timestamp", "sentAt", "originalTimestamp"])
@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (1447116323, "seconds"),
        (1447116323.412, "seconds"),
        (1447116323412, "milliseconds"),
        (1447116323412345, "microseconds"),
        (1447116323412345678, "nanoseconds"),
    ],
)
def test_epoch_is_refused_by_a_sentence_that_says_so(trackside: Running, field: str, value: float, unit: str) -> None:
    sentence = f"{field} looks like an epoch in {unit}, but must be an ISO 8601 time"
    for sent, code in ((value, "wrong_type"), (str(value), "invalid_timestamp")):
        response = trackside.post("/v1/track", event("epoch", **{field: sent}))
        assert_refused(trackside, response, 400, single(sentence, field, code))


@pytest.mark.parametrize("kind", KINDS)
def test_type_is_each_of_the_listed_kinds(trackside: Running, kind: str) -> None:
    sent = event(f"type-{kind}", type=kind)
    assert_accepted(trackside, trackside.post("/v1/batch", {"batch": [sent]}), record(kind, sent))


def test_type_is_required_where_the_route_does_not_say_it(trackside: Running) -> None:
    response = trackside.post("/v1/batch", {"batch": [event("typeless")]})
    body = batch("required", error(0, "typeless", "type is required", "type"))
    assert_refused(trackside, response, 400, body)
    response = trackside.post("/v1/webhook?writeKey=k", event("typeless"))
    assert_refused(trackside, response, 400, required("type"))


@pytest.mark.parametrize("kind", KINDS)
def test_type_is_implied_by_the_route(trackside: Running, kind: str) -> None:
    sent = event(f"implied-{kind}", type=kind)
    response = trackside.post(f"/v1/{kind}", {**sent, "type": None})
    assert_accepted(trackside, response, record(kind, sent))


def test_type_that_differs_from_the_route_is_refused(trackside: Running) -> None:
    body = single("type must be track, as the route says", "type", "type_mismatch")
    assert_refused(trackside, trackside.post("/v1/track", event("differs", type="page")), 400, body)


@pytest.mark.parametrize("value", ["click", "Track", "TRACK", "track "])
def test_type_that_is_no_kind_is_refused(trackside: Running, value: str) -> None:
    told = error(0, "no-kind", f"type must be one of {', '.join(KINDS)}", "type")
    response = trackside.post("/v1/batch", {"batch": [event("no-kind", type=value)]})
    assert_refused(trackside, response, 400, batch("unknown_type", told))


@pytest.mark.parametrize("field", ["userId", "anonymousId", "messageId", "type", "writeKey"])
@pytest.mark.parametrize("value", [True, {"a": 1}, [1], 1.5])
def test_field_of_the_wrong_type_is_refused_by_name(trackside: Running, field: str, value: Any) -> None:
    body = single(f"{field} must be a string", field, "wrong_type")
    assert_refused(trackside, trackside.post("/v1/track", {**event("wrong"), field: value}), 400, body)


@pytest.mark.parametrize("field", ["userId", "anonymousId"])
@pytest.mark.parametrize("value", [7, 0, -1, 12345678901234567890])
def test_integer_id_becomes_its_decimal_string(trackside: Running, field: str, value: int) -> None:
    sent = event(f"integer {field} {value}", **{field: value})
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent, **{field: str(value)}))


def test_fields_nobody_named_are_kept(trackside: Running) -> None:
    sent = event("more", channel="server", version=2, nested={"a": [{}]}, nothing=None, empty="")
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


@pytest.mark.parametrize("value", [[], "", None, 5, {"a": [1]}])
def test_field_of_another_kind_is_kept_as_it_was_sent(trackside: Running, value: object) -> None:
    sent = event(f"another kind's {value}", traits=value, groupId=value, previousId=value)
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent))


def test_write_key_of_the_source_is_in_the_record(trackside: Running) -> None:
    sent = event("key")
    assert_accepted(trackside, trackside.post("/v1/track", sent), record("track", sent, writeKey=KEY))
