"""Starts the real server for a test, and kills, restarts and reads it on command. README.md has its usage."""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

START = 60.0  # seconds, on a machine that does much else
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1"
LARGEST_SAFE = (1 << 53) - 1

Answer = dict[str, Any]


class Server:
    """A `trackside serve` without its front, on one port and in one directory, whatever happens to it."""

    def __init__(self, directory: Path, settings: dict[str, str], certificates: dict[str, str]) -> None:
        self._directory = directory
        self._data = directory / "data"
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory / "log"
        self._port = _free_port()
        self._certificates = certificates
        self._target = f"127.0.0.1:{self._port}"
        self._environment = os.environ | {
            "TRACKSIDE_GRPC_PORT": str(self._port),
            "TRACKSIDE_DATA_DIR": str(self._data),
            "TRACKSIDE_ADMIN_PORT": "0",
            "TMPDIR": str(directory),  # one that is killed leaves its files behind
            **settings,
        }

    def start(self) -> Answer:
        if self._process is not None:
            raise RuntimeError("the server runs already")
        with self._log.open("ab") as log:
            command = [sys.executable, "-P", "-m", "cli", "serve", "--only", "service"]
            self._process = subprocess.Popen(
                command,
                cwd=self._directory,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        with self._channel() as channel:
            request = health_pb2.HealthCheckRequest(service="trackside.v1.CollectorService")
            stub: Any = health_pb2_grpc.HealthStub(channel)
            watched = stub.Watch(request, timeout=START, wait_for_ready=True)
            next(health for health in watched if health.status == health_pb2.HealthCheckResponse.SERVING)
            watched.cancel()
        return {"target": self._target, **self._certificates}

    def kill(self) -> Answer:
        self._supervisor.send_signal(signal.SIGSTOP)  # else it would start the service again
        self._tell_service(signal.SIGKILL)
        self._end(signal.SIGKILL)
        while not _is_free(self._port):  # the service is not ours to wait for
            time.sleep(0.01)
        return {"killed": True}

    def restart(self) -> Answer:
        self._end(signal.SIGTERM)
        return self.start()

    def pause(self) -> Answer:
        self._tell_service(signal.SIGSTOP)
        return {"paused": True}

    def resume(self) -> Answer:
        self._tell_service(signal.SIGCONT)
        return {"paused": False}

    def break_(self) -> Answer:
        self._queue.rename(self._away)
        return {"broken": True}

    def mend(self) -> Answer:
        self._away.rename(self._queue)
        return {"broken": False}

    def dump(self) -> Answer:
        command = [sys.executable, "-m", "cli", "tail", "--from-start"]
        tail = subprocess.run(command, env=self._environment, stdout=subprocess.PIPE, check=True)
        path = self._directory / "records.ndjson"
        records = [json.loads(line, parse_int=_tagged) for line in tail.stdout.splitlines()]
        path.write_text("".join([json.dumps(record) + "\n" for record in records]))
        return {"path": str(path), "records": len(records)}

    def close(self) -> None:
        if self._process is not None:
            self.resume()  # a process that is paused does not hear SIGTERM
            self._end(signal.SIGTERM)
        print(self._log.read_text(), file=sys.stderr)

    @property
    def _queue(self) -> Path:
        return self._data / "queue.db"

    @property
    def _away(self) -> Path:
        return self._data / "queue.db.away"

    def _channel(self) -> grpc.Channel:
        quickly = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 100)]
        if not self._certificates:
            return grpc.insecure_channel(self._target, quickly)
        ca, cert, key = [Path(self._certificates[name]).read_bytes() for name in ("ca", "cert", "key")]
        return grpc.secure_channel(self._target, grpc.ssl_channel_credentials(ca, key, cert), quickly)

    @property
    def _supervisor(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server does not run")
        return self._process

    def _tell_service(self, number: signal.Signals) -> None:
        """Signal the service's process, which takes the calls."""
        os.kill(int(re.findall(r"service runs as process (\d+)", self._log.read_text())[-1]), number)

    def _end(self, number: signal.Signals) -> None:
        self._supervisor.send_signal(number)
        self._supervisor.wait()
        self._process = None


def _tagged(digits: str) -> int | dict[str, str]:
    """An integer, tagged where a double cannot hold it."""
    return int(digits) if abs(int(digits)) <= LARGEST_SAFE else {"$integer": digits}


def _free_port() -> int:
    """A port that nothing takes while the server is dead: those that the system gives out begin at 32768."""
    return next(port for port in iter(lambda: random.randrange(10_000, 32_768), None) if _is_free(port))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _settings(arguments: argparse.Namespace, directory: Path) -> dict[str, str]:
    settings = dict(setting.split("=", 1) for setting in arguments.settings)
    if arguments.enforce:
        sources = directory / "sources.toml"
        sources.write_text(f'mode = "enforce"\n\n[[source]]\nkey = "{arguments.enforce}"\nname = "test"\n')
        settings["TRACKSIDE_SOURCES"] = str(sources)
    if arguments.tls or arguments.mutual_tls:
        settings["TRACKSIDE_GRPC_CERT"] = str(directory / "server.pem")
        settings["TRACKSIDE_GRPC_KEY"] = str(directory / "server.key")
    if arguments.mutual_tls:
        settings["TRACKSIDE_GRPC_CLIENT_CA"] = str(directory / "ca.pem")
    return settings


def _make_certificates(directory: Path) -> dict[str, str]:
    """An authority, and certificates of a server and a client by it: the paths of what a client needs."""

    def openssl(*arguments: str) -> None:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subprocess.run([*command, "-days", "2", *arguments], cwd=directory, check=True, stderr=subprocess.DEVNULL)

    openssl("-subj", "/CN=Test authority", "-keyout", "ca.key", "-out", "ca.pem")
    signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "basicConstraints=CA:FALSE", "-addext", NAMES)
    for name in ("server", "client"):
        openssl(*signed, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return {
        name: str(directory / file) for name, file in (("ca", "ca.pem"), ("cert", "client.pem"), ("key", "client.key"))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--enforce", metavar="KEY", help="refuse every other write key")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--mutual-tls", action="store_true")
    parser.add_argument("settings", nargs="*", metavar="NAME=VALUE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="trackside-") as folder:
        directory = Path(folder)
        certificates = _make_certificates(directory) if arguments.tls or arguments.mutual_tls else {}
        server = Server(directory, _settings(arguments, directory), certificates)
        commands: dict[str, Callable[[], Answer]] = {
            "start": server.start,
            "kill": server.kill,
            "restart": server.restart,
            "pause": server.pause,
            "resume": server.resume,
            "break": server.break_,
            "mend": server.mend,
            "dump": server.dump,
        }
        try:
            print(json.dumps(server.start()), flush=True)
            for line in sys.stdin:
                try:
                    answer = commands[line.strip()]()
                except (RuntimeError, KeyError, OSError, subprocess.CalledProcessError, grpc.RpcError) as error:
                    answer = {"error": f"{type(error).__name__}: {error}"}
                print(json.dumps(answer), flush=True)
        finally:
            server.close()


if __name__ == "__main__":
    main()
