"""F20: a name that is not known, a certificate that is not to be trusted; never a step back to plain http."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from apps.domain.failures import Category, Failure, Transient
from apps.salesforce.gateway import SalesforceGateway
from apps.salesforce.oauth import App, refresh
from tests.faults.conftest import Near


class Held:
    """A token that nobody renews."""

    def access_token(self) -> str:
        return "00D!x"

    def renew(self, stale: str) -> str:
        raise AssertionError("nothing expires here")


def _gateway(url: str) -> SalesforceGateway:
    host = url.split("://")[1]
    return SalesforceGateway(instance_url=url, api_version="66.0", tokens=Held(), trusted_hosts=(host,))


def test_f20_name_that_is_not_known_is_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, *_: object, **__: object) -> list[Any]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    gateway = SalesforceGateway(
        instance_url="https://northwind.my.salesforce.com", api_version="66.0", tokens=Held(), trusted_hosts=()
    )
    with pytest.raises(Transient) as caught:
        gateway.limits()
    assert asked == ["northwind.my.salesforce.com"]
    assert "northwind" not in str(caught.value)


@dataclass
class Tls:
    """A server whose certificate nobody vouches for; it remembers what came after the greeting."""

    port: int
    heard: list[bytes] = field(default_factory=list)


def _certificate(folder: Path, name: str) -> Path:
    """A certificate that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / f"{name}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def _serving(certificate: Path) -> Iterator[Tls]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        tls = Tls(listener.getsockname()[1])

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(plain, server_side=True) as wrapped:
                        tls.heard.append(wrapped.recv(1000))
                except OSError:
                    plain.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield tls
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


@pytest.mark.parametrize("name", ["localhost", "other.example"])
def test_f20_certificate_that_is_not_to_be_trusted_is_an_outage_and_hears_no_token(tmp_path: Path, name: str) -> None:
    with _serving(_certificate(tmp_path, name)) as tls:
        gateway = _gateway(f"https://localhost:{tls.port}")
        for _ in range(2):
            with pytest.raises(Transient) as caught:
                gateway.limits()
        assert caught.value.category is Category.UNAVAILABLE
        app = App("id", "secret", (f"localhost:{tls.port}",))
        with pytest.raises(Failure):
            refresh(app, login_url=f"https://localhost:{tls.port}", refresh_token="r")
        assert tls.heard == []


def test_f20_environment_cannot_lead_calls_elsewhere_or_loosen_trust(
    near: Near, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with _serving(_certificate(tmp_path, "localhost")) as tls:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "localhost.pem"))
        with pytest.raises(Transient):
            _gateway(f"https://localhost:{tls.port}").limits()
        assert tls.heard == []
    assert near.gateway().limits() is not None
