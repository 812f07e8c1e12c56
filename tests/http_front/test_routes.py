"""Every route with every method, and the ways to write its path."""

from __future__ import annotations

import itertools
from importlib.metadata import version

import pytest

from http_front.routes import SlashRouter
from tests.http_front.wire import connected, page, request
from tests.running import KEY, Running, basic
from tests.spec.expectations import assert_accepted, assert_answer, record

LONG = {kind: kind for kind in ("identify", "track", "page", "screen", "group", "alias")}
SHORT = {kind[0]: kind for kind in LONG}
OTHER = {"merge": "alias"}
SINGLE = [f"/v1/{path}" for path in LONG | SHORT | OTHER]
BATCH = ["/v1/batch", "/v1/import", "/v1/b"]
WEBHOOK = ["/v1/webhook", "/v1/w"]
CUSTOM = ["/v1/custom/event"]
FLAT_PIXEL = {f"/pixel/v1/{kind}": kind for kind in ("track", "page")}
PIXEL = [*(f"/v1/pixel/{kind}" for kind in LONG), *FLAT_PIXEL]
POSTED = [*SINGLE, *BATCH, *WEBHOOK, *CUSTOM]
FETCHED = [*PIXEL, "/", "/version", "/health", "/robots.txt"]
OF_SDKS = [
    "/beacon/v1/batch",
    "/v1/m",
    "/v1/projects/KEY/settings",
    "/customerio/v1/projects/KEY/settings",
    "/sourceConfig",
]

_numbers = itertools.count()


def event(**members: str) -> dict[str, str]:
    """An event of any kind that was not sent yet."""
    ids = {"messageId": f"m{next(_numbers)}", "userId": "u"}
    return {**ids, "event": "e", "groupId": "g", "previousId": "p", **members}


@pytest.mark.parametrize(("path", "kind"), (LONG | SHORT | OTHER).items())
def test_single_event_is_posted(trackside: Running, path: str, kind: str) -> None:
    sent = event()
    assert_accepted(trackside, trackside.post(f"/v1/{path}", sent), record(kind, sent))


@pytest.mark.parametrize("path", [*BATCH, *WEBHOOK])
def test_batch_is_posted(trackside: Running, path: str) -> None:
    sent = event(type="page")
    assert_accepted(trackside, trackside.post(path, {"batch": [sent]}), record("page", sent))


@pytest.mark.parametrize("kind", LONG)
def test_pixel_is_fetched(trackside: Running, kind: str) -> None:
    sent = event()
    assert trackside.pixel(kind, sent).headers["Content-Type"] == "image/gif"
    assert trackside.queued() == [record(kind, sent)]


@pytest.mark.parametrize(("path", "kind"), FLAT_PIXEL.items())
def test_pixel_with_flat_parameters_is_fetched(trackside: Running, path: str, kind: str) -> None:
    sent = event()
    response = trackside.http.get(path, params={**sent, "writeKey": KEY})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "image/gif")
    assert trackside.queued() == [record(kind, sent)]


@pytest.mark.parametrize("path", CUSTOM)
def test_custom_event_is_posted(trackside: Running, path: str) -> None:
    metadata = {"writeKey": KEY, "eventName": "e", "eventID": "custom", "userID": "u"}
    response = trackside.post(path, {"_metarouter": metadata, "a": 1}, key=None)
    sent = {"messageId": "custom", "userId": "u", "event": "e", "properties": {"a": 1}}
    assert_accepted(trackside, response, record("track", sent))


@pytest.mark.parametrize("type_", ["alias", "merge", "", None])
def test_merge_may_have_its_own_name_as_type(trackside: Running, type_: str | None) -> None:
    sent = event()
    assert_accepted(trackside, trackside.post("/v1/merge", {**sent, "type": type_}), record("alias", sent))


@pytest.mark.parametrize(("path", "type_"), [("merge", "track"), ("merge", "Merge"), ("track", "merge"), ("page", "p")])
def test_type_that_is_not_the_route_s_is_refused(trackside: Running, path: str, type_: str) -> None:
    answer = trackside.post(f"/v1/{path}", event(type=type_))
    assert (answer.status_code, answer.json()["code"]) == (400, "type_mismatch")
    assert trackside.queued() == []


def test_merge_is_no_type_of_a_batch(trackside: Running) -> None:
    answer = trackside.post("/v1/batch", {"batch": [event(type="merge")]})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_type")
    assert trackside.queued() == []


@pytest.mark.parametrize("path", ["/", "/version"])
def test_root_and_version_name_product_version_and_documentation(trackside: Running, path: str) -> None:
    answer = trackside.http.get(path)
    assert answer.status_code == 200
    assert answer.json() == {
        "product": "trackside",
        "version": version("trackside"),
        "documentation": "https://github.com/trackside/trackside",
    }


@pytest.mark.parametrize("path", ["/robots.txt", "/robots.txt/", "//robots.txt?a=b"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_crawlers_are_told_to_index_nothing(trackside: Running, method: str, path: str) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request(path, method=method))
        answer = wire.answer(body=method == "GET")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert answer.body == (b"User-agent: *\nDisallow: /\n" if method == "GET" else b"")
    assert answer.headers["content-length"] == "26"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_health_is_fetched(trackside: Running) -> None:
    assert_answer(trackside.http.get("/health"), 200, {"Success": True})


@pytest.mark.parametrize("path", [*POSTED, *FETCHED, *OF_SDKS])
def test_options_answers_a_preflight(trackside: Running, path: str) -> None:
    response = trackside.http.options(
        path, headers={"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    )
    assert (response.status_code, response.json()) == (200, {"Success": True})
    assert response.headers["Access-Control-Allow-Origin"] == "https://example.com"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert response.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    # What SDKs send; RudderStack's adds those with Rsa when it sends again.
    allowed = set(response.headers["Access-Control-Allow-Headers"].split(", "))
    assert allowed >= {"Authorization", "Content-Type", "Content-Encoding", "Cache-Control", "X-Retry-Count"}
    assert allowed >= {"AnonymousId", "SentAt", "Rsa-Retry-Attempt", "Rsa-Retry-Reason", "Rsa-Recovered"}
    assert allowed >= {"Rsa-Since-First-Attempt", "Rsa-Since-Last-Attempt"}
    assert response.headers["Access-Control-Max-Age"] == "86400"


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for path in POSTED for method in ("PUT", "PATCH", "DELETE")]
    + [(method, path) for path in POSTED if path not in WEBHOOK for method in ("GET", "HEAD")]
    + [(method, path) for path in FETCHED for method in ("POST", "PUT", "PATCH", "DELETE")],
)
def test_wrong_method_is_405_with_those_that_are_allowed(trackside: Running, method: str, path: str) -> None:
    response = trackside.http.request(method, path, content=b'{"messageId":"m"}', headers=basic(KEY))
    message = f"Method {method} not allowed for URL {path}"
    body = {"Error": "Method Not Allowed", "Message": message, "Details": ""}
    lower = {"code": "method_not_allowed", "message": message}
    if method == "HEAD":
        assert (response.status_code, response.content) == (405, b"")
    else:
        assert_answer(response, 405, {**body, **lower})
    expected = {
        "OPTIONS",
        *(["POST"] if path in POSTED else []),
        *(["GET", "HEAD"] if path in FETCHED + WEBHOOK else []),
    }
    assert set(response.headers["Allow"].split(", ")) == expected
    assert trackside.queued() == []


@pytest.mark.parametrize("method", ["POST", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", ["/v1/projects/key/settings", "//v1/projects/key/settings/"])
def test_wrong_method_is_405_where_a_part_of_the_path_is_variable(trackside: Running, method: str, path: str) -> None:
    response = trackside.http.request(method, f"{str(trackside.http.base_url).rstrip('/')}{path}")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", FETCHED)
def test_head_has_the_headers_of_get_and_does_nothing(trackside: Running, path: str) -> None:
    data = {"data": "eyJtZXNzYWdlSWQiOiJoZWFkIiwidXNlcklkIjoidSJ9"}
    response = trackside.http.head(path, params=data, headers=basic(KEY))
    assert (response.status_code, response.content) == (200, b"")
    kinds = {"/robots.txt": "text/plain; charset=utf-8"} | dict.fromkeys(PIXEL, "image/gif")
    assert response.headers["Content-Type"] == kinds.get(path, "application/json")
    assert int(response.headers["Content-Length"]) > 0
    assert trackside.queued() == []


@pytest.mark.parametrize("form", ["{}/", "{}//", "/{}", "//{}//", "{}///?a=b"])
@pytest.mark.parametrize(("path", "kind"), (LONG | SHORT | OTHER).items())
def test_slashes_more_are_the_same_route(trackside: Running, path: str, kind: str, form: str) -> None:
    sent = event()
    target = form.format(f"/v1//{path}" if form == "{}/" else f"/v1/{path}")
    with connected(trackside.http_address) as wire:
        wire.send(request(target, page(sent.pop("messageId"), **sent)))
        assert wire.answer().status == 200
    assert [queued["type"] for queued in trackside.queued()] == [kind]


@pytest.mark.parametrize("form", ["{}/", "/{}", "//{}//"])
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", path, 200) for path in (*BATCH, *WEBHOOK)]
    + [("GET", "/health", 200), ("OPTIONS", "/v1/batch", 200), ("GET", "/v1/batch", 405)]
    + [("GET", "/version", 200), ("POST", "/v1/custom/event", 400), ("GET", "/v1/custom/event", 405)]
    + [("HEAD", path, 200) for path in PIXEL],
)
def test_slashes_more_are_the_same_route_for_every_method(
    trackside: Running, method: str, path: str, status: int, form: str
) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request(form.format(path), b'{"batch": []}', method=method))
        assert wire.answer(body=method != "HEAD").status == status
    assert trackside.queued() == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v2/track",
        "/v1/tracks",
        "/v1/Track",
        "/v1/track/1",
        "/track",
        "/v1/pixel",
        "/v1/pixel/batch",
        "/v1/pixel/t",
        "/pixel/v1",
        "/pixel/v1/identify",
        "/pixel/track",
        "/v1/custom",
        "/v1/custom/event/1",
        "/version/1",
        "/merge",
        "/metrics",
        "/v1/tr%61ck%00",
        "/v1/track/../page",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE"])
def test_unknown_path_is_404(trackside: Running, method: str, path: str) -> None:
    with connected(trackside.http_address) as wire:
        wire.send(request(path, b"{}", method=method))
        answer = wire.answer()
    message = f"There is no route {path}"
    body = {"Error": "Not Found", "Message": message, "Details": "", "code": "not_found", "message": message}
    assert (answer.status, answer.json) == (404, body)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert trackside.queued() == []


def test_long_path_is_answered_and_not_remembered(trackside: Running) -> None:
    key = "k" * 5_000
    for _ in range(2):
        assert trackside.http.get(f"/v1/projects/{key}/settings").status_code == 200
        assert trackside.http.get(f"/nowhere/{key}").status_code == 404
    router = SlashRouter()
    router.add("/v1/projects/<key:str>/settings", ["GET"], _nothing)
    router.finalize()
    before = router.find.cache_info().misses
    for path in (f"/v1/projects/{key}/settings", "/v1/projects/key/settings"):
        assert router.get(path, "GET", None)[2] == {"key": path.split("/")[3]}
    assert router.find.cache_info().misses == before + 1


async def _nothing() -> None:
    """A handler that is only looked up."""
