"""Only Salesforce's own hosts, and those trusted by name, ever see a token."""

import pytest

from apps.domain.failures import Category, Internal
from apps.salesforce.hosts import checked_base, is_loopback


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://login.salesforce.com/", "https://login.salesforce.com"),
        (" https://Test.Salesforce.com/some/path?x=1#y ", "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com:443", "https://acme.my.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", "https://acme--uat.sandbox.my.salesforce.com"),
        ("https://acme.lightning.force.com", "https://acme.lightning.force.com"),
    ],
)
def test_salesforces_own_hosts_are_trusted_without_their_path(url: str, base: str) -> None:
    assert checked_base(url, ()) == base


@pytest.mark.parametrize(
    "url",
    [
        "http://login.salesforce.com",
        "https://login.salesforce.com.evil.example",
        "https://evilsalesforce.com",
        "https://evil.example/login.salesforce.com",
        "https://evil.example?https://login.salesforce.com",
        "https://evil.example#.salesforce.com",
        "https://login.salesforce.com@evil.example",
        "https://user:secret@login.salesforce.com",
        "https://@login.salesforce.com",
        "https://login.salesforce.com.",
        "https://login.salesforce.com:8443",
        "https://login.salesforce.com:0443",
        "https://evil.example\\.salesforce.com",
        "https://evil.example%2f.salesforce.com",
        "https://evil.example%00.salesforce.com",
        "https://ſalesforce.com",
        "https://login.ｓalesforce.com",
        "https://.salesforce.com",
        "https://-.salesforce.com",
        "https://[::1].salesforce.com",
        "ftp://login.salesforce.com",
        "javascript://login.salesforce.com",
        "//login.salesforce.com",
        "login.salesforce.com",
        "",
        "https://",
        "https://127.0.0.1",
        "https://169.254.169.254",
    ],
)
def test_every_other_address_is_refused(url: str) -> None:
    with pytest.raises(Internal) as refused:
        checked_base(url, ())
    assert refused.value.category is Category.UNTRUSTED_HOST


def test_trusted_host_with_port_is_trusted_at_that_port_only() -> None:
    assert checked_base("http://127.0.0.1:9000/", ("127.0.0.1:9000",)) == "http://127.0.0.1:9000"
    with pytest.raises(Internal):
        checked_base("http://127.0.0.1:9001", ("127.0.0.1:9000",))


def test_trusted_host_is_compared_without_regard_to_case() -> None:
    assert checked_base("https://crm.acme.example", ("CRM.Acme.Example",)) == "https://crm.acme.example"


def test_plain_http_needs_every_trusted_host_to_be_this_machine() -> None:
    with pytest.raises(Internal):
        checked_base("http://127.0.0.1:9000", ("127.0.0.1:9000", "stand-in.example"))
    with pytest.raises(Internal):
        checked_base("http://stand-in.example", ("stand-in.example",))
    assert checked_base("https://stand-in.example:8443", ("stand-in.example:8443",)) == "https://stand-in.example:8443"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:80", "[::1]:9000"])
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", "evil:127.0.0.1"])
def test_names_that_only_look_like_this_machine_are_not(host: str) -> None:
    assert not is_loopback(host)


def test_refusal_does_not_repeat_a_password() -> None:
    with pytest.raises(Internal) as refused:
        checked_base("https://ada:open-sesame@evil.example", ())
    assert "open-sesame" not in str(refused.value)
