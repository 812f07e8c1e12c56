"""Command-line options, made from the settings' models: each setting is stated there, once."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from cli.settings import Settings

_METAVARS: dict[type[Any], str] = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}


def options(names: Collection[str] = tuple(Settings.model_fields)) -> list[click.Parameter]:
    """An option for each of the named settings, without a default: None says that the flag was not given."""
    return [_option(name, Settings.model_fields[name]) for name in names]


def kind(field: FieldInfo) -> type[Any]:
    """What a setting's value is, when it is not None."""
    arguments = get_args(field.annotation)
    if NoneType in arguments:
        return next(argument for argument in arguments if argument is not NoneType)
    return field.annotation  # pyright: ignore[reportReturnType]


def _option(name: str, field: FieldInfo) -> click.Option:
    flag = f"--{name.replace('_', '-')}"
    text = field.description or ""
    if "[default:" not in text and field.default is not None:
        text = f"{text} [default: {str(field.default).lower() if kind(field) is bool else field.default}]"
    if kind(field) is bool:
        return click.Option([f"{flag}/--no-{flag.removeprefix('--')}", name], default=None, help=text)
    if get_origin(kind(field)) is Literal:
        return click.Option([flag, name], type=click.Choice(get_args(kind(field))), help=text)
    # The value itself is left to the model, which says the same of a variable and of the file.
    return click.Option([flag, name], metavar=_METAVARS[kind(field)], help=text)
