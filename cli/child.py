"""A process that is kept running: started, started again when it dies, and stopped."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence

log = logging.getLogger(__name__)

# Seconds before a process that died is started again: doubled each time, until one has run for the last figure.
_FIRST_DELAY, _LONGEST_DELAY, _STEADY_AFTER = 0.1, 5.0, 30.0


class Child:
    """One process of the collector."""

    def __init__(
        self,
        name: str,
        module: str,
        environment: Mapping[str, str],
        inherited: Sequence[int],
        died: Callable[[str, int], None],
    ) -> None:
        """`inherited` are file descriptors that it gets. `died` is told the name and process id of each that died."""
        self.name = name
        self.proven = False
        """Whether its settings were seen to work. Until then, one that says that they do not is not tried again."""
        # -P: a folder of the same name, where the command is run, is not ours.
        self._command = (sys.executable, "-P", "-m", module)
        self._environment = environment
        self._inherited = inherited
        self._died = died
        self._process: Process | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def keep(self) -> None:
        """Keep the process running. Returns when it has said, on stderr, that it cannot run with its settings."""
        delay = _FIRST_DELAY
        while True:
            began = time.monotonic()
            try:
                process = self._process = await self._start()
            except OSError as error:  # no memory, or no process to be had
                how = str(error)
            else:
                log.info("%s runs as process %d", self.name, process.pid)
                code = await process.wait()
                self._died(self.name, process.pid)
                if code == os.EX_CONFIG and not self.proven:
                    return
                how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            if time.monotonic() - began >= _STEADY_AFTER:
                delay = _FIRST_DELAY
            log.error("%s died (%s); starting it again in %.1f s", self.name, how, delay)
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _start(self) -> Process:
        return await asyncio.create_subprocess_exec(
            *self._command,
            env=self._environment,
            pass_fds=self._inherited,
            stdin=DEVNULL,
            # So that Ctrl-C reaches the supervisor alone.
            start_new_session=True,
        )

    async def stop(self, patience: float) -> None:
        """Ask the process to end and wait for it, for `patience` seconds at most; then end it."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), patience)
        except TimeoutError:
            log.warning("%s (pid %d) did not stop within %.1f s; killing it", self.name, process.pid, patience)
            process.kill()
            await process.wait()

    def kill(self) -> None:
        """End the process at once."""
        if self.running and self._process:
            self._process.kill()
