"""Where webhooks may go: only to the public internet, whatever a name says, and whatever it says a moment later."""

import socket
from typing import Any

import pytest
from pytest_django import Settings

from apps.domain.webhooks import is_public
from apps.notifications.webhooks.addresses import BadAddress, checked_url, post
from tests.notifications.receiver import Receiver

NOT_PUBLIC = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::",
    "2001:0:53aa:64c:0:0:0:0", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "fec0::1", "nonsense", "",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:1.1.1.1"]

REFUSED = [
    "http://example.com/", "ftp://example.com/", "javascript:alert(1)", "//example.com", "example.com", "", "https://",
    "https://user:pass@example.com/", "https://user@example.com/", "https://exa mple.com/",
    "https://example.com/\r\nHost: evil", "https://localhost/", "https://LOCALHOST/", "https://localhost./",
    "https://db.internal/", "https://printer.local/", "https://127.0.0.1/", "https://127.1/", "https://2130706433/",
    "https://0x7f000001/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:a9fe:a9fe]/",
    "https://169.254.169.254/latest/meta-data/", "https://10.0.0.1/", "https://example.com:99999/",
    "https://example.com:x/", "https://[::1", "https://" + "a" * 70 + ".com/", "https://example.com/" + "x" * 3000,
    "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_address_inside_is_known(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_address_of_the_internet_is_known(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", REFUSED)
def test_hostile_address_is_refused_in_words_or_never_called(url: str, settings: Settings) -> None:
    settings.WEBHOOKS_MAY_BE_LOCAL = False
    refusal = ""
    try:
        checked_url(url)
    except BadAddress as refused:
        refusal = str(refused)
    answer = post(url, b"{}", {})
    assert answer.status is None
    assert refusal.endswith(".") or answer.problem.endswith(".")


def test_ordinary_address_is_kept() -> None:
    assert checked_url("  https://hooks.example.com:8443/a/b?c=d ") == "https://hooks.example.com:8443/a/b?c=d"


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Names lead to these addresses, one answer after another; gives the names that were asked for."""
    asked: list[str] = []

    def answer(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return asked


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["169.254.169.254"], ["93.184.216.34", "10.0.0.1"], ["::ffff:10.0.0.1"], ["0.0.0.0"]],
)
def test_name_that_leads_inside_is_not_called(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, addresses: list[str]
) -> None:
    settings.WEBHOOKS_MAY_BE_LOCAL = False
    resolving(monkeypatch, addresses)
    connected: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **kwargs: connected.append(args))
    answer = post("https://hooks.example.com/", b"{}", {})
    assert (answer.status, answer.problem) == (None, "Not called: the host leads into a private network.")
    assert connected == []


def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers otherwise when it is asked again is asked once."""
    asked = resolving(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    connected: list[Any] = []

    def connect(target: tuple[str, int], **kwargs: Any) -> socket.socket:
        connected.append(target)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    assert post("https://hooks.example.com/", b"{}", {}).problem == "The connection failed (ConnectionRefusedError)."
    assert (asked, connected) == (["hooks.example.com"], [("93.184.216.34", 443)])


def test_loopback_is_for_development_only(receiver: Receiver, settings: Settings) -> None:
    assert post(receiver.url, b"{}", {}).status == 200
    settings.WEBHOOKS_MAY_BE_LOCAL = False
    assert post(receiver.url, b"{}", {}).status is None
    assert len(receiver.calls) == 1


def test_development_does_not_open_the_private_network(settings: Settings) -> None:
    settings.WEBHOOKS_MAY_BE_LOCAL = True
    assert post("http://169.254.169.254/latest/", b"{}", {}).problem.startswith("Not called")


def test_plain_text_where_encryption_was_asked_for_is_a_failure_in_words(receiver: Receiver) -> None:
    answer = post(receiver.url.replace("http://", "https://"), b"{}", {})
    assert (answer.status, "not secure" in answer.problem) == (None, True)
