"""Pages for people: only for those who log in, under the org's rules, and never markup from a record."""

import pytest

from tests.emulator.client import Client, Told


def log_in(sf: Client, password: str | None = None) -> Told:
    username, facts = next(iter(sf.control.org(sf.org_id)["users"].items()))
    return sf.form(
        "/login", {"un": username, "pw": password or facts["password"], "startURL": "/lightning/o/Lead/list"}
    )


@pytest.fixture
def browser(sf: Client) -> Client:
    """A person who is logged in."""
    answer = log_in(sf)
    assert (answer.status, answer.headers["location"]) == (302, "/lightning/o/Lead/list")
    sf.extra = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    return sf


def saved(browser: Client, path: str, **fields: str) -> Told:
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    return browser.call("POST", path, body, Content_Type="application/x-www-form-urlencoded")


def test_first_page_tells_orgs_and_how_to_log_in(sf: Client) -> None:
    page = sf.get("/")
    assert page.status == 200
    assert next(iter(sf.control.org(sf.org_id)["users"])) in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text


def test_nobody_sees_records_without_logging_in(sf: Client) -> None:
    lead = sf.lead(LastName="Secret")
    page = sf.get(f"/lightning/r/Lead/{lead}/view")
    assert "Secret" not in page.text
    assert 'name="pw"' in page.text.replace("'", '"')
    assert log_in(sf, "wrong").status == 200


def test_lists_records_and_short_addresses(browser: Client) -> None:
    lead = browser.lead(LastName="Lovelace", Email="ada@x.example")
    assert "Lovelace" in browser.get("/lightning/o/Lead/list").text
    assert "Lovelace" not in browser.get("/lightning/o/Lead/list?q=nobody").text
    assert browser.get(f"/{lead}").headers["location"] == f"/lightning/r/Lead/{lead}/view"
    assert "ada@x.example" in browser.get(f"/lightning/r/Lead/{lead}/view").text
    assert browser.get("/lightning/r/Lead/00Q000000000000AAA/view").status == 404


def test_values_are_text_and_never_markup(browser: Client) -> None:
    lead = browser.lead(LastName="<script>alert(1)</script>", Company='"><img src=x onerror=1>')
    for path in ("/lightning/o/Lead/list", f"/lightning/r/Lead/{lead}/view", f"/lightning/r/Lead/{lead}/edit"):
        page = browser.get(path)
        assert page.status == 200
        assert "<script" not in page.text
        assert "<img src=x" not in page.text


def test_person_changes_a_record_under_the_rules(browser: Client) -> None:
    lead = browser.lead()
    refused = saved(browser, f"/lightning/r/Lead/{lead}/edit", LastName="A", Company="B", Email="nobody")
    assert "invalid email address" in refused.text
    done = saved(browser, f"/lightning/r/Lead/{lead}/edit", LastName="Changed", Company="B", Email="a%40x.example")
    assert done.status == 302
    assert browser.rows("SELECT LastName, Email FROM Lead") == [{"LastName": "Changed", "Email": "a@x.example"}]


def test_person_sees_what_the_api_may_not(browser: Client) -> None:
    lead = browser.lead(Title="Chief of Hidden Things")
    browser.control.hide(browser.org_id, "Lead.Title")
    assert "Chief of Hidden Things" in browser.get(f"/lightning/r/Lead/{lead}/view").text


def test_log_in_leads_nowhere_else(sf: Client) -> None:
    username, facts = next(iter(sf.control.org(sf.org_id)["users"].items()))
    for target in ("https://evil.example/", "//evil.example/"):
        answer = sf.form("/login", {"un": username, "pw": facts["password"], "startURL": target})
        assert answer.headers["location"] == "/"
