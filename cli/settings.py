"""Every setting, resolved once: flags go before TRACKSIDE_* variables, then a TOML file, then defaults."""

from __future__ import annotations

import difflib
import json
import logging
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from http_front.config import FrontConfig
from service.config import ServiceConfig

log = logging.getLogger(__name__)

PREFIX = "TRACKSIDE_"
DEFAULT_FILE = Path("trackside.toml")
# How the supervisor hands what it opened to the processes that it starts.
HTTP_FD = "TRACKSIDE_HTTP_FD"
PARENT_FD = "TRACKSIDE_PARENT_FD"
_SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://\S+:\d+")
"""What Kubernetes sets TRACKSIDE_HTTP_PORT to in every pod beside a Service that is called trackside-http."""
_SERVICE_LINK_NAME = re.compile(r"(?:\w+_)?SERVICE_(?:HOST|PORT(?:_\w+)?)")
"""Kubernetes' other variables of that Service, whose values could be anything."""


class InvalidSettings(Exception):
    """A setting cannot be used. The message is a sentence for the operator, one a line where there are several."""


class Settings(ServiceConfig, FrontConfig):
    """The settings of every process. They are stated once, here and in the two models that this one joins."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    config: Path | None = Field(None, description="TOML file of settings. [default: trackside.toml, if it is there]")
    admin_host: str = Field("127.0.0.1", description="Address that the admin port listens on.")
    admin_port: int = Field(8081, ge=0, le=65535, description="Port of health, readiness and metrics.")
    workers: int = Field(1, ge=1, le=256, description="How many HTTP processes to run.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        variables = _Variables(settings_cls)
        named = init_settings().get("config") or variables().get("config")
        path = Path(named) if named else DEFAULT_FILE if DEFAULT_FILE.exists() else None
        return init_settings, variables, _File(settings_cls, path)


class _Variables(EnvSettingsSource):
    """The TRACKSIDE_* variables, but for those of Kubernetes."""

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if not _is_service_link(name, value)}


class _File(TomlConfigSettingsSource):
    """The TOML file. Raises InvalidSettings where the library would pass over a file that is not there."""

    def __init__(self, settings_cls: type[BaseSettings], path: Path | None) -> None:
        try:
            if path is not None:
                path.open("rb").close()
            super().__init__(settings_cls, path)
        except OSError as error:
            raise InvalidSettings(f"The settings file {path} cannot be read: {error.strerror}.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InvalidSettings(f"The settings file {path} is not TOML: {error}.") from None
        names = settings_cls.model_fields.keys() - {"config"}
        unknown = [
            f"The settings file {path} has {key!r}, which is no setting.{_suggestion(key, names)}"
            for key in self.toml_data
            if key not in names
        ]
        if unknown:
            raise InvalidSettings("\n".join(unknown))


def _suggestion(name: str, names: Mapping[str, Any] | set[str]) -> str:
    near = difflib.get_close_matches(name.replace("-", "_").lower(), list(names), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def load(flags: Mapping[str, Any]) -> Settings:
    """Resolve the settings. `flags` has what the command line said, or None. Raises InvalidSettings."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        raise InvalidSettings("\n".join(_sentence(given, dict(e)) for e in error.errors())) from None


def _sentence(flags: Mapping[str, Any], error: Mapping[str, Any]) -> str:
    name = str(error["loc"][0])
    if name in flags:
        where = f"--{name.replace('_', '-')}"
    elif any(key.upper() == variable(name) and not _is_service_link(name, os.environ[key]) for key in os.environ):
        where = variable(name)
    else:
        where = f"{name} in the settings file"
    message: str = error["msg"]
    return f"{where} cannot be {error['input']!r}: {message[0].lower()}{message[1:]}."


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def environment(settings: Settings) -> dict[str, str]:
    """The settings as the variables that a process reads them from, in place of those that this one was given."""
    others = {key: value for key, value in os.environ.items() if not key.upper().startswith(PREFIX)}
    values = settings.model_dump(mode="json", exclude_none=True, exclude={"config"})
    return others | {
        variable(name): value if isinstance(value, str) else json.dumps(value) for name, value in values.items()
    }


def warn_of_variables() -> None:
    """Log each TRACKSIDE_* variable that is almost a setting's, and those of Kubernetes. Others may be anyone's."""
    links: list[str] = []
    for key, value in sorted(os.environ.items()):
        name = key.removeprefix(PREFIX)
        if name == key or _SERVICE_LINK_NAME.fullmatch(name):
            continue
        if _is_service_link(name.lower(), value):
            links.append(key)
        elif name.lower() not in Settings.model_fields:
            near = difflib.get_close_matches(name.lower(), Settings.model_fields, n=1, cutoff=0.8)
            if near:
                log.warning("%s is no setting: did you mean %s?", key, variable(near[0]))
    if links:
        hint = "the pod's `enableServiceLinks: false` keeps them away."
        log.warning("Ignored, as Kubernetes sets them for a Service: %s; %s", ", ".join(links), hint)


def _is_service_link(name: str, value: object) -> bool:
    """Whether Kubernetes set a port's variable."""
    return "port" in name and isinstance(value, str) and _SERVICE_LINK.fullmatch(value) is not None
