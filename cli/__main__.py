"""The `trackside` command."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

from cli import settings
from cli.options import options
from cli.ports import PortUnavailable
from cli.serve import Part
from cli.serve import serve as run
from cli.tail import tail as print_records
from service import sources
from service.queues import InvalidQueue, QueueUnavailable, open_reader
from service.refused import refused_url

_SETTINGS_EPILOG = (
    "Each option is also a TRACKSIDE_* variable (--http-port is TRACKSIDE_HTTP_PORT) and a key of the settings file "
    "(http_port). Options go before variables, those before the file."
)


class CannotRun(click.ClickException):
    """What was asked for cannot be done as it is configured: a sentence on stderr, and no traceback."""

    exit_code = os.EX_CONFIG


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="trackside", prog_name="trackside")
def main() -> None:
    """A self-hosted event collector: HTTP and gRPC in, a durable queue out."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s trackside: %(message)s")


@main.command(epilog=_SETTINGS_EPILOG, params=options())
@click.option("--only", type=click.Choice(["front", "service"]), help="Run one part, where the other runs elsewhere.")
def serve(only: Part | None, **flags: Any) -> None:
    """Run the collector: the HTTP front and the gRPC service, each started again when it dies.

    Prints where it listens once it is ready. SIGTERM and Ctrl-C answer what is being answered, then stop.
    """
    settings.warn_of_variables()
    try:
        sys.exit(run(settings.load(flags), only))
    except (settings.InvalidSettings, PortUnavailable) as error:
        raise CannotRun(str(error)) from None


@main.command(epilog=_SETTINGS_EPILOG, params=options(("config", "data_dir", "queue")))
@click.option("--from-start", is_flag=True, help="Begin at the first record, not near the end.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help="How many of the last records to print, before what --follow brings; with --from-start, how many in all. "
    "[default: 10 without --from-start]",
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what arrives.")
@click.option("--refused", is_flag=True, help="Print the refused events, with the reasons, in place of the queue's.")
def tail(from_start: bool, limit: int | None, follow: bool, refused: bool, **flags: Any) -> None:
    """Print the queue's last records, one JSON object on a line.

    Reading never gets in the way of `trackside serve`, which may be running or not.
    """
    try:
        resolved = settings.load(flags)
        url = refused_url(resolved.data_dir) if refused else resolved.queue_url
        print_records(open_reader(url), from_start=from_start, limit=limit, follow=follow)
    except (settings.InvalidSettings, InvalidQueue, QueueUnavailable) as error:
        raise CannotRun(str(error)) from None


@main.group("sources")
def sources_() -> None:
    """Work with the file of sources and their write keys."""


@sources_.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Say whether FILE can be used as the file of sources, and what is in it."""
    try:
        found = sources.load(file)
    except sources.InvalidSources as error:
        raise CannotRun(str(error)) from None
    click.echo(f"{file} is valid. Mode: {found.mode.value}. Sources: {len(found.source)}.")
    for source in found.source:
        click.echo(f"  {sources.masked(source.key):8}  {source.name}")


if __name__ == "__main__":
    main()
