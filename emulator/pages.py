"""Pages for people: log in, allow, and a record as Salesforce might show it."""

from html import escape

_STYLE = """
:root{font-family:system-ui,sans-serif;color:#181818;background:#f3f3f3}body{margin:0}main{max-width:46rem;margin:3rem
auto;padding:2rem;background:#fff;border:1px solid #c9c9c9;border-radius:.5rem}h1{margin-top:0;font-size:1.4rem}
label{display:block;margin:.8rem 0 .2rem}input{width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #747474;
border-radius:.25rem;font:inherit}button{margin:1rem .5rem 0 0;padding:.55rem 1.2rem;border:1px solid #0176d3;
border-radius:.25rem;background:#0176d3;color:#fff;font:inherit;cursor:pointer}button.plain{background:#fff;color:#0176d3}
.error{color:#ba0517}table{width:100%;border-collapse:collapse}td,th{text-align:left;padding:.35rem;border-bottom:1px solid
#e5e5e5;vertical-align:top}a{color:#0b5cab}header{background:#032d60;color:#fff;padding:.8rem 2rem;font-weight:700}
"""


def page(title: str, body: str) -> str:
    """A whole page."""
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>{escape(title)}</title><link rel='icon' href='data:,'><style>{_STYLE}</style>"
        f"<header>Salesforce stand-in</header><main><h1>{escape(title)}</h1>{body}</main></html>"
    )


def hidden(fields: dict[str, str]) -> str:
    return "".join(f"<input type='hidden' name='{escape(k)}' value='{escape(v)}'>" for k, v in fields.items())


def login_page(fields: dict[str, str], error: str = "") -> str:
    """Ask for username and password."""
    words = f"<p class='error' role='alert'>{escape(error)}</p>" if error else ""
    return page(
        "Log In",
        f"{words}<form method='post' action='/services/oauth2/authorize'>{hidden(fields)}"
        "<label for='un'>Username</label><input id='un' name='un' autocomplete='username'>"
        "<label for='pw'>Password</label><input id='pw' name='pw' type='password'>"
        "<button>Log In</button></form>",
    )


def allow_page(fields: dict[str, str], user: str) -> str:
    """Ask for consent."""
    return page(
        "Allow Access?",
        "<p><b>Syncline</b> is asking to:</p><ul><li>Access the identity URL service</li><li>Manage user data via APIs"
        "</li><li>Perform requests at any time</li></ul>"
        f"<p>Do you want to allow access for {escape(user)}?</p>"
        f"<form method='post' action='/services/oauth2/authorize'>{hidden(fields)}"
        "<button name='decision' value='deny' class='plain'>Deny</button>"
        "<button name='decision' value='allow'>Allow</button></form>",
    )


def record_page(sobject: str, row: dict[str, str | None]) -> str:
    """All fields of a record, with a form to change some."""
    title = row.get("Name") or row["Id"] or sobject
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value or '')}</td></tr>" for name, value in row.items()
    )
    return page(f"{sobject}: {title}", f"<table>{rows}</table>")
