"""TLS and mutual TLS on the gRPC port, and certificates that are read again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import grpc
import pytest
from trackside.v1 import collector_service_pb2 as proto

from tests.cli.serving import COMMAND, PATIENCE, environment
from tests.grpc.serving import ALONE, Service, code, collect, service

CERTIFICATES = Path(__file__).parent / "certificates"
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


class Files:
    """A directory with the files that a service reads. Whose they are can be changed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self.put("server.pem", "server.key")
        shutil.copy(CERTIFICATES / "authority.pem", self.path("clients.pem"))

    def path(self, name: str) -> Path:
        return self.directory / name

    def put(self, certificate: str, key: str) -> None:
        """Replace the certificate and its key, each at once."""
        for source, name in ((certificate, "cert.pem"), (key, "key.pem")):
            self.replace(name, (CERTIFICATES / source).read_bytes())

    def replace(self, name: str, content: bytes) -> None:
        new = self.path(f"{name}.new")
        new.write_bytes(content)
        new.replace(self.path(name))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


def secure(running: Service, trusts: str = "authority", shows: str = "") -> grpc.Channel:
    """A channel that trusts an authority, and shows a certificate where one is named."""
    authority = (CERTIFICATES / f"{trusts}.pem").read_bytes()
    key, certificate = ((CERTIFICATES / f"{shows}.{end}").read_bytes() if shows else None for end in ("key", "pem"))
    return grpc.secure_channel(running.address, grpc.ssl_channel_credentials(authority, key, certificate), [ALONE])


def tells(running: Service, trusts: str = "authority", shows: str = "") -> bool:
    """Whether a caller with these gets an answer over a connection of its own."""
    with secure(running, trusts, shows) as channel:
        try:
            return bool(collect(channel, "1"))
        except grpc.RpcError:
            return False


def test_only_tls_is_spoken_once_there_is_a_certificate(tmp_path: Path, files: Files) -> None:
    with service(tmp_path, grpc_cert=files.path("cert.pem"), grpc_key=files.path("key.pem")) as running:
        with secure(running) as channel:
            assert collect(channel, "1") == proto.OUTCOME_ACCEPTED
        with running.channel() as plain:
            assert code(lambda: collect(plain, "2")) is UNAVAILABLE
        assert not tells(running, trusts="other-authority")


def test_mutual_tls_takes_only_callers_with_a_certificate(tmp_path: Path, files: Files) -> None:
    settings = {"grpc_cert": files.path("cert.pem"), "grpc_key": files.path("key.pem")}
    with service(tmp_path, **settings, grpc_client_ca=files.path("clients.pem")) as running:
        assert tells(running, shows="client")
        assert not tells(running)
        assert not tells(running, shows="other-client")


def test_unix_socket_stays_plain(tmp_path: Path, files: Files) -> None:
    settings = {"grpc_cert": files.path("cert.pem"), "grpc_key": files.path("key.pem")}
    socket = tmp_path / "socket"
    with service(tmp_path, **settings, grpc_socket=socket), grpc.insecure_channel(f"unix:{socket}") as channel:
        assert collect(channel, "1") == proto.OUTCOME_ACCEPTED


def test_certificate_is_read_again_when_it_changes(tmp_path: Path, files: Files) -> None:
    settings = {"grpc_cert": files.path("cert.pem"), "grpc_key": files.path("key.pem")}
    with service(tmp_path, **settings) as running, secure(running) as earlier:
        assert collect(earlier, "1") == proto.OUTCOME_ACCEPTED
        files.put("other-server.pem", "other-server.key")
        assert tells(running, trusts="other-authority")
        assert not tells(running)
        # The connections that are there stay.
        assert collect(earlier, "2") == proto.OUTCOME_ACCEPTED


def test_authority_of_callers_is_read_again_when_it_changes(tmp_path: Path, files: Files) -> None:
    settings = {"grpc_cert": files.path("cert.pem"), "grpc_key": files.path("key.pem")}
    with service(tmp_path, **settings, grpc_client_ca=files.path("clients.pem")) as running:
        assert tells(running, shows="client")
        files.replace("clients.pem", (CERTIFICATES / "other-authority.pem").read_bytes())
        assert tells(running, shows="other-client")
        assert not tells(running, shows="client")


def test_certificate_that_became_invalid_leaves_the_last_one_in_force(
    tmp_path: Path, files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    settings = {"grpc_cert": files.path("cert.pem"), "grpc_key": files.path("key.pem")}
    with service(tmp_path, **settings) as running:
        # A certificate whose key has not come yet, as in every renewal of two files.
        files.replace("cert.pem", (CERTIFICATES / "other-server.pem").read_bytes())
        assert tells(running)
        assert tells(running)
        (message,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
        assert message.endswith("cannot be used: key values mismatch. What was read before stays in force.")
        files.replace("key.pem", (CERTIFICATES / "other-server.key").read_bytes())
        assert tells(running, trusts="other-authority")


@pytest.mark.parametrize(
    ("only", "settings", "sentence"),
    [
        (
            "service",
            {"grpc-cert": "server.pem"},
            "The certificate and its key go together: there is only {}/server.pem.",
        ),
        (
            "service",
            {"grpc-cert": "server.pem", "grpc-key": "client.key"},
            "The certificate {0}/server.pem with the key {0}/client.key cannot be used: key values mismatch.",
        ),
        (
            "service",
            {"grpc-cert": "server.pem", "grpc-key": "nowhere.key"},
            "The certificate file {}/nowhere.key cannot be read: No such file or directory.",
        ),
        (
            "service",
            {"grpc-cert": "server.pem", "grpc-key": "server.key", "grpc-client-ca": "make.sh"},
            "The certificate {}/make.sh cannot be used: no certificate or crl found.",
        ),
        (
            "service",
            {"grpc-client-ca": "authority.pem"},
            "The setting `grpc_client_ca` goes with `grpc_cert` and `grpc_key`.",
        ),
        ("front", {"service-ca": "make.sh"}, "The certificate {}/make.sh cannot be used: no certificate or crl found."),
        (
            "front",
            {"service-ca": "authority.pem", "service-cert": "client.pem"},
            "The certificate and its key go together: there is only {}/client.pem.",
        ),
    ],
)
def test_files_that_cannot_be_used_are_a_sentence(
    tmp_path: Path, only: str, settings: dict[str, str], sentence: str
) -> None:
    ports = ("--http-port=0", "--grpc-port=0", "--admin-port=0")
    given = [f"--{name}={CERTIFICATES / file}" for name, file in settings.items()]
    elsewhere = ["--service=127.0.0.1:1"] if only == "front" else []
    done = subprocess.run(
        [*COMMAND, "serve", f"--only={only}", *ports, *elsewhere, *given],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    said = [line for line in done.stderr.splitlines() if " INFO " not in line]
    assert (done.returncode, done.stdout, said) == (78, "", [sentence.format(CERTIFICATES)])
