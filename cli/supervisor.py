"""Runs the processes of a collector: starts them, keeps them running, and stops them in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from importlib.metadata import version
from pathlib import Path

from cli.admin import Admin
from cli.banner import banner
from cli.child import Child
from cli.metrics import Metrics
from cli.ports import reachable
from cli.readiness import ServiceHealth, front_complaint
from cli.settings import HTTP_FD, PARENT_FD, Settings, environment
from service.sources import Sources

log = logging.getLogger(__name__)

_POLL_EVERY = 0.05  # seconds
_SAY_AFTER = 3.0  # seconds
_END_WITHIN = 2.0  # seconds, of a process that has drained


# gRPC's older way to wait for sockets wakes fewer threads: a lone event takes 0.97 ms and 921 µs of CPU in place of
# 1.03 and 997, and with 64 connections an event 72 µs in place of 78. Without the client's half a service stops 3.5 s
# later than it could.
_SERVICE_GRPC = {"GRPC_EXPERIMENTS": "-event_engine_listener"}
_FRONT_GRPC = {"GRPC_EXPERIMENTS": "-event_engine_client"}


class Supervisor:
    """The processes of one collector."""

    def __init__(
        self,
        settings: Settings,
        sources: Sources | None,
        runtime: Path,
        admin: socket.socket,
        http: socket.socket | None,
    ) -> None:
        """Without `sources` the service runs elsewhere; without `http` no front is run. `runtime` is a directory."""
        self._settings = settings
        self._sources = sources
        self._http = http
        metrics_directory = runtime / "metrics"
        metrics_directory.mkdir()
        self._metrics = Metrics(metrics_directory)
        self._draining = False
        # Its other end closes with this process, however it ends: that is what tells the children.
        self._lifeline, self._held = os.pipe()

        local = f"unix:{settings.grpc_socket}"
        variables = environment(settings.model_copy(update={"service": local if sources else settings.service})) | {
            PARENT_FD: str(self._lifeline),
            "PROMETHEUS_MULTIPROC_DIR": str(metrics_directory),
        }
        self._services: list[Child] = []
        self._fronts: list[Child] = []
        if sources:
            # An operator's own goes before it.
            served = _SERVICE_GRPC | variables
            self._services.append(Child("service", "service", served, [self._lifeline], self._metrics.died))
        if http:
            variables = _FRONT_GRPC | variables | {HTTP_FD: str(http.fileno())}
            inherited = [self._lifeline, http.fileno()]
            self._fronts += [
                Child(f"front-{number}", "http_front", variables, inherited, self._metrics.died)
                for number in range(1, settings.workers + 1)
            ]
        self._health = ServiceHealth(local) if sources else None
        self._admin = Admin(admin, self._complaint, self._metrics.registry)

    async def run(self) -> int:
        """Run everything until a signal or until a process cannot run with its settings. Returns the exit code."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # nohup has it ignored.
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._asked_to_stop, stop)
        keeping = [asyncio.create_task(child.keep()) for child in (*self._services, *self._fronts)]
        announcing = asyncio.create_task(self._announce())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([stopping, *keeping], return_when=asyncio.FIRST_COMPLETED)
        unusable = [task for task in keeping if task.done()]

        self._draining = True
        for task in (announcing, stopping, *keeping):
            task.cancel()
        await asyncio.gather(announcing, stopping, *keeping, return_exceptions=True)
        await self._stop()
        for task in unusable:
            task.result()
        return os.EX_CONFIG if unusable else 0

    def _asked_to_stop(self, stop: asyncio.Event) -> None:
        if stop.is_set():
            log.warning("asked to stop again: ending every process at once")
            for child in (*self._services, *self._fronts):
                child.kill()
        else:
            log.info("stopping: what is being answered is answered first")
            stop.set()

    async def _stop(self) -> None:
        """The fronts first: what they are answering needs the service."""
        if self._http:
            # Closed here too, the port refuses at once where it would otherwise let callers wait for nobody.
            self._http.close()
        patience = self._settings.drain_timeout + _END_WITHIN
        for children in (self._fronts, self._services):
            await asyncio.gather(*(child.stop(patience) for child in children))
        self._admin.close()
        if self._health:
            self._health.close()

    async def _announce(self) -> None:
        """Say where things listen, once they are ready."""
        loop = asyncio.get_running_loop()
        say_at = loop.time() + _SAY_AFTER
        while complaint := await asyncio.to_thread(self._start_complaint):
            if loop.time() >= say_at:
                log.warning("not ready yet: %s", complaint)
                say_at = loop.time() + _SAY_AFTER
            await asyncio.sleep(_POLL_EVERY)
        for child in (*self._services, *self._fronts):
            child.proven = True
        text = banner(
            version("trackside"),
            self._settings,
            self._sources,
            front=self._http is not None,
            # What goes to a terminal is read by a person; what goes to a file or a container's log is kept.
            private=sys.stdout.isatty(),
        )
        print(text, flush=True)

    def _complaint(self) -> str | None:
        """Why events cannot be taken, or None."""
        if self._draining:
            return "The collector is stopping."
        if self._fronts and not any(child.running for child in self._fronts):
            return "No front is running."
        if self._health:
            return self._health.complaint()
        complaint = self._front_complaint()
        return complaint and f"{complaint} Its service: {self._settings.service}."

    def _start_complaint(self) -> str | None:
        complaint = self._complaint()
        return self._front_complaint() if complaint is None and self._http else complaint

    def _front_complaint(self) -> str | None:
        return front_complaint(reachable(self._settings.host), self._settings.http_port)
