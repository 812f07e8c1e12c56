"""The PEM files of one end of a TLS connection, read again when they change."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import NamedTuple

log = logging.getLogger(__name__)

_Stamp = tuple[tuple[int, int, int] | None, ...]


class InvalidCertificates(Exception):
    """The files cannot be used. The message is one sentence for the operator."""


class Pem(NamedTuple):
    """What the files hold. One that was not named is None."""

    certificate: bytes | None
    key: bytes | None
    authority: bytes | None


class Certificates:
    """What proves this end (a certificate and its key) and whom it trusts (an authority): either, or both.

    Files that became invalid leave what was read before in force.
    """

    def __init__(self, *, certificate: Path | None, key: Path | None, authority: Path | None) -> None:
        """Raises InvalidCertificates."""
        if (certificate is None) != (key is None):
            raise InvalidCertificates(f"The certificate and its key go together: there is only {certificate or key}.")
        self._paths = (certificate, key, authority)
        self._seen = self._stamp()
        self.pem = self._read()

    def changed(self) -> bool:
        """Whether other files than before are there; `pem` has them then."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._seen = stamp
        try:
            self.pem = self._read()
        except InvalidCertificates as error:
            log.error("%s What was read before stays in force.", error)
            return False
        log.info("read the certificates again: %s", ", ".join([str(path) for path in self._paths if path]))
        return True

    def _read(self) -> Pem:
        """Raises InvalidCertificates."""
        certificate, key, authority = self._paths
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        path = None
        try:
            for path in filter(None, self._paths):
                path.open("rb").close()
            if certificate:
                path = certificate
                context.load_cert_chain(certificate, key, password=lambda: b"")  # else it would ask the terminal
            if authority:
                path = authority
                context.load_verify_locations(authority)
            pem = Pem(*[path and path.read_bytes() for path in self._paths])
        except ssl.SSLError as error:
            reason = (error.reason or "not PEM, or a key with a password").lower().replace("_", " ")
            files = f"{certificate} with the key {key}" if path is certificate else str(path)
            raise InvalidCertificates(f"The certificate {files} cannot be used: {reason}.") from None
        except OSError as error:
            raise InvalidCertificates(f"The certificate file {path} cannot be read: {error.strerror}.") from None
        if self._stamp() != self._seen:  # else a certificate and the key of the one before it could meet
            raise InvalidCertificates(f"The certificate files changed while they were read: {path}.")
        return pem

    def _stamp(self) -> _Stamp:
        return tuple([path and _stamp(path) for path in self._paths])


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
