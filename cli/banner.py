"""What `trackside serve` prints once it is ready."""

from __future__ import annotations

import secrets
import shlex
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from cli.ports import at, reachable
from cli.settings import Settings
from service.sources import Mode, Sources

_KEYS = {
    Mode.OPEN: "OPEN TO ANYONE: any write key is taken. Name yours in a file of sources (--sources) to refuse others.",
    Mode.DRY_RUN: "dry run: any write key is taken; those that no source has are counted and logged.",
    Mode.ENFORCE: "enforced: only the sources' write keys are taken.",
}


def banner(version: str, settings: Settings, sources: Sources | None, *, front: bool, private: bool) -> str:
    """What listens where. `sources` is None where the service runs elsewhere; `private` lets the curl show a key."""
    lines = [f"Trackside {version} is ready."]
    if front:
        lines.append(f"  HTTP   http://{at(settings.host, settings.http_port)}")
    if sources is None:
        lines.append(f"  gRPC   the service at {settings.service}")
    else:
        lines.append(f"  gRPC   {settings.grpc_address}{'  (TLS)' if settings.grpc_cert else ''}")
    lines.append(f"  Admin  http://{at(settings.admin_host, settings.admin_port)}  (/healthz /readyz /metrics)")
    if sources is not None:
        lines += [f"  Queue  {_without_password(settings.queue_url)}", f"  Keys   {_KEYS[sources.mode]}"]
    if front:
        lines += ["", *_try_it(settings, sources, private=private)]
    return "\n".join(lines)


def _try_it(settings: Settings, sources: Sources | None, *, private: bool) -> list[str]:
    lines = ["Send it an event:"]
    user = "my-key:"
    if sources and sources.source and sources.mode is not Mode.OPEN:
        source = sources.source[0]
        user = f"{source.key}:"
        if not private:
            lines = [f"Send it an event, with WRITE_KEY set to the key of the source {source.name!r}:"]
            user = "$WRITE_KEY:"
    quoted = f'"{user}"' if user.startswith("$") else shlex.quote(user)
    event = f'{{"messageId": "{secrets.token_hex(8)}", "userId": "user-1", "event": "Hello", "properties": {{"n": 1}}}}'
    url = f"http://{at(reachable(settings.host), settings.http_port)}/v1/track"
    lines.append(f"  curl -u {quoted} {url} -d '{event}'")
    if sources is not None:
        lines.append(f"and see it in the queue:  {_command()} tail{_where(settings)}")
    return lines


def _command() -> str:
    """How this command is called from where it was called."""
    called = Path(sys.argv[0])
    found = shutil.which(called.name)
    return str(called) if called.name == "trackside" and not (found and called.samefile(found)) else "trackside"


def _where(settings: Settings) -> str:
    """The flags that let another command find the queue, where it is not in its usual place."""
    if settings.queue:
        return f" --queue {shlex.quote(_without_password(settings.queue))}"
    default = Settings.model_fields["data_dir"].default
    return "" if settings.data_dir == default else f" --data-dir {shlex.quote(str(settings.data_dir))}"


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return parts._replace(netloc=f"{parts.username or ''}:***@{parts.netloc.rpartition('@')[2]}").geturl()
