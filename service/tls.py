"""TLS on the gRPC port, and mutual TLS where callers have to show a certificate too."""

from __future__ import annotations

import grpc

from event_model.certificates import Certificates, InvalidCertificates
from service.config import ServiceConfig


def credentials(config: ServiceConfig) -> grpc.ServerCredentials | None:
    """What the port is opened with; None where it is plain. Raises InvalidCertificates.

    The files are looked at before each handshake. Connections that are there keep what they were made with.
    """
    if config.grpc_cert is None and config.grpc_key is None:
        if config.grpc_client_ca:
            raise InvalidCertificates("The setting `grpc_client_ca` goes with `grpc_cert` and `grpc_key`.")
        return None
    files = Certificates(certificate=config.grpc_cert, key=config.grpc_key, authority=config.grpc_client_ca)

    def changed() -> grpc.ServerCertificateConfiguration | None:
        return _configuration(files) if files.changed() else None

    return grpc.dynamic_ssl_server_credentials(
        _configuration(files),
        changed,  # pyright: ignore[reportArgumentType] - None is documented: nothing changed
        require_client_authentication=config.grpc_client_ca is not None,
    )


def _configuration(files: Certificates) -> grpc.ServerCertificateConfiguration:
    certificate, key, authority = files.pem
    assert certificate is not None
    assert key is not None
    return grpc.ssl_server_certificate_configuration([(key, certificate)], authority)
