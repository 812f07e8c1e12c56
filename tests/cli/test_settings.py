"""Where settings come from, what is said of a bad one, and that the documentation has them all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args

import pytest

from cli.options import kind
from cli.settings import InvalidSettings, Settings, environment, load, variable
from http_front.config import FrontConfig
from service.config import ServiceConfig

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variables of the caller's, and no settings file in the current directory."""
    for name in os.environ:
        if name.startswith("TRACKSIDE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_flags_go_before_variables_before_the_file_before_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("trackside.toml").write_text("http_port = 1\ngrpc_port = 1\nadmin_port = 1\n")
    monkeypatch.setenv("TRACKSIDE_HTTP_PORT", "2")
    monkeypatch.setenv("TRACKSIDE_GRPC_PORT", "2")
    settings = load({"http_port": "3", "grpc_port": None})
    assert (settings.http_port, settings.grpc_port, settings.admin_port, settings.workers) == (3, 2, 1, 1)


@pytest.mark.parametrize("how", ["flag", "variable", "default place"])
def test_settings_file_is_found(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("trackside.toml" if how == "default place" else "other.toml")
    path.write_text("workers = 3\n")
    if how == "variable":
        monkeypatch.setenv("TRACKSIDE_CONFIG", str(path))
    assert load({"config": str(path)} if how == "flag" else {}).workers == 3


def test_empty_variable_is_as_if_it_were_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKSIDE_SOURCES", "")
    assert load({}).sources is None


def test_processes_read_back_what_was_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKSIDE_MAX_EVENT_BYTES", "7")
    monkeypatch.setenv("TRACKSIDE_SOURCES", "overridden.toml")
    given = {
        "sources": "sources.toml",
        "generate_message_id": True,
        "body_timeout": "2.5",
        "client_address": "off",
        "data_dir": "a b",
        "service": "elsewhere:1",
    }
    settings = load(given)
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    for process in (ServiceConfig(), FrontConfig()):
        assert process.model_dump().items() <= settings.model_dump().items()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (
            "htp_port = 1",
            "The settings file trackside.toml has 'htp_port', which is no setting. Did you mean 'http_port'",
        ),
        ("xyz = 1", "The settings file trackside.toml has 'xyz', which is no setting."),
        ('config = "other.toml"', "The settings file trackside.toml has 'config', which is no setting."),
        ("http_port 1", "The settings file trackside.toml is not TOML: Expected '=' after a key in a key/value pair "),
        ('http_port = "x"', "http_port in the settings file cannot be 'x': "),
        ("http_port = 65536", "http_port in the settings file cannot be 65536: "),
    ],
)
def test_bad_settings_file_is_a_sentence(file: str, sentence: str) -> None:
    Path("trackside.toml").write_text(file)
    with pytest.raises(InvalidSettings) as caught:
        load({})
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize("port", ["http_port", "grpc_port", "admin_port"])
def test_port_of_kubernetes_is_no_setting(port: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable(port), "tcp://10.0.0.1:8080")
    assert getattr(load({}), port) == Settings.model_fields[port].default
    Path("trackside.toml").write_text(f"{port} = 9")
    assert getattr(load({}), port) == 9
    Path("trackside.toml").write_text(f"{port} = 'x'")
    with pytest.raises(InvalidSettings, match=rf"^{port} in the settings file cannot be 'x': "):
        load({})


@pytest.mark.parametrize("given", ["tcp://", "tcp://10.0.0.1", "http://10.0.0.1:8080", "tcp:10.0.0.1:8080", "x"])
def test_port_that_is_not_of_kubernetes_is_a_sentence(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKSIDE_HTTP_PORT", given)
    with pytest.raises(InvalidSettings, match=r"^TRACKSIDE_HTTP_PORT cannot be "):
        load({})


def test_queue_may_have_any_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKSIDE_QUEUE", "tcp://10.0.0.1:8080")
    assert load({}).queue == "tcp://10.0.0.1:8080"


@pytest.mark.parametrize("given", ["1", "0", "1,2", "10.0.0.0/33", "10.0.0", "2001:db8::/129", "proxy.example", "a b"])
def test_trusted_proxies_are_networks_and_no_number(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hint = "name the networks or addresses of the proxies, with commas between them, as in '10.0.0.0/8, ::1'."
    monkeypatch.setenv("TRACKSIDE_TRUSTED_PROXIES", given)
    with pytest.raises(InvalidSettings) as caught:
        load({})
    assert str(caught.value) == f"TRACKSIDE_TRUSTED_PROXIES cannot be {given!r}: {hint}"


@pytest.mark.parametrize("given", ["2", "['10.0.0.0/8']", "true"])
def test_trusted_proxies_in_the_settings_file_are_text(given: str) -> None:
    Path("trackside.toml").write_text(f"trusted_proxies = {given}")
    with pytest.raises(InvalidSettings, match=r"^trusted_proxies in the settings file cannot be .*as in '10.0.0.0/8, "):
        load({})


@pytest.mark.parametrize("given", ["", " ", "127.0.0.1", "10.0.0.7/8, ::1,unix", "0.0.0.0/0,::/0", "fe80::/10"])
def test_trusted_proxies_are_taken_as_they_are_written(given: str) -> None:
    assert load({"trusted_proxies": given}).trusted_proxies == given


@pytest.mark.parametrize(
    "given",
    [
        "events.example",
        "ftp://events.example",
        "https://",
        "https://a/?b",
        "https://a b",
        "//a",
        "https://u@a",
        "https://:80",
        "https://[::1",
    ],
)
def test_public_url_is_a_url_of_http(given: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load({"public_url": given})
    assert str(caught.value).startswith(f"--public-url cannot be {given!r}: write http or https, ")


@pytest.mark.parametrize("given", ["", "a b", "a:", "é", "x" * 65])
def test_client_address_header_is_the_name_of_a_header(given: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^--client-address-header cannot be "):
        load({"client_address_header": given})


def test_settings_file_that_was_named_must_be_there() -> None:
    with pytest.raises(InvalidSettings, match=r"^The settings file nowhere.toml cannot be read: No such file"):
        load({"config": "nowhere.toml"})


def test_every_bad_value_is_named_where_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKSIDE_WORKERS", "0")
    with pytest.raises(InvalidSettings) as caught:
        load({"http_port": "x"})
    said = sorted(str(caught.value).splitlines())
    assert [line.partition(":")[0] for line in said] == ["--http-port cannot be 'x'", "TRACKSIDE_WORKERS cannot be '0'"]


def test_settings_that_two_processes_share_are_stated_alike() -> None:
    service, front = ServiceConfig.model_fields, FrontConfig.model_fields
    shared = service.keys() & front.keys()
    assert {name: repr(service[name]) for name in shared} == {name: repr(front[name]) for name in shared}


def test_documented_settings_file_can_be_used() -> None:
    _, _, rest = DOCUMENT.read_text("utf-8").partition("```toml\n")
    Path("trackside.toml").write_text(rest.partition("```")[0])
    assert load({}).workers == 2


def test_documentation_has_every_setting_as_it_is() -> None:
    names = {str: "text", int: "integer", float: "number", bool: "true or false", Path: "path"}
    rows = ["| key in the file | variable | value | default | meaning |", "|---|---|---|---|---|"]
    for name, field in Settings.model_fields.items():
        description, _, said = (field.description or "").partition(" [default: ")
        default = said.removesuffix("]") or ("none" if field.default is None else f"`{field.default}`")
        default = default.lower() if kind(field) is bool else default
        value = names.get(kind(field)) or " or ".join(f"`{choice}`" for choice in get_args(kind(field)))
        rows.append(f"| `{name}` | `{variable(name)}` | {value} | {default} | {description} |")
    table = "\n".join(rows)
    assert table in DOCUMENT.read_text("utf-8"), f"docs/settings.md should have this table:\n{table}"
