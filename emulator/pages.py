"""Pages for people: log in, allow, lists and records, in the manner of Salesforce; no scripts, no foreign assets."""

from html import escape
from pathlib import Path
from typing import Any

from emulator.schema import Field, SObject

TABS = ("Lead", "Contact", "Account", "Opportunity", "Campaign", "Task", "Case", "User")
STYLE = (Path(__file__).resolve().parent / "emulator.css").read_text(encoding="utf-8")


def page(title: str, body: str, *, who: str = "", tab: str = "") -> str:
    """A whole page; ``who`` is the person logged in."""
    tabs = "".join(
        f"<a href='/lightning/o/{name}/list'{' aria-current=' + repr('page') if name == tab else ''}>{name}s</a>"
        for name in TABS
    ).replace("Opportunitys", "Opportunities")
    person = f"<span class='who'>{escape(who)} · <a href='/logout'>Log Out</a></span>" if who else ""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width, "
        f"initial-scale=1'><title>{escape(title)} | Salesforce stand-in</title><link rel='icon' href='data:,'>"
        "<link rel='stylesheet' href='/_static/emulator.css'></head><body>"
        "<header class='top'><strong><a href='/'>☁ Salesforce stand-in</a></strong>"
        f"{tabs if who else ''}{person}</header>"
        f"<main>{body}</main></body></html>"
    )


def notice(title: str, words: str) -> str:
    """A card that says one thing."""
    return f"<div class='card narrow'><h1>{escape(title)}</h1><p>{escape(words)}</p></div>"


def hidden(fields: dict[str, str]) -> str:
    """Hidden inputs."""
    return "".join(f"<input type='hidden' name='{escape(k)}' value='{escape(v)}'>" for k, v in fields.items())


def login_page(target: str, fields: dict[str, str], error: str = "", username: str = "") -> str:
    """Ask for username and password."""
    words = f"<p class='error' role='alert'>{escape(error)}</p>" if error else ""
    known = escape(username or fields.get("login_hint", ""))
    return page(
        "Login",
        f"<div class='card narrow'><h1 class='logo'>salesforce<small>stand-in</small></h1>{words}"
        f"<form method='post' action='{escape(target)}'>{hidden(fields)}"
        f"<label for='username'>Username</label>"
        f"<input id='username' name='un' autocomplete='username' value='{known}' required>"
        "<label for='password'>Password</label><input id='password' name='pw' type='password' "
        "autocomplete='current-password' required>"
        "<button id='Login' class='brand wide'>Log In</button></form>"
        "<p class='muted'>Usernames and passwords are on the <a href='/'>list of orgs</a>.</p></div>",
    )


def allow_page(fields: dict[str, str], app: str, scopes: list[str], user: str, username: str, org: str) -> str:
    """Ask for consent."""
    listed = "".join(f"<li>{escape(scope)}</li>" for scope in scopes)
    return page(
        "Allow Access?",
        f"<div class='card narrow'><h1 class='logo'>salesforce<small>stand-in</small></h1><h1>Allow Access?</h1>"
        f"<p><b>{escape(app)}</b> is asking to:</p><ul class='scopes'>{listed}</ul>"
        f"<p>Do you want to allow access for {escape(user)} ({escape(username)}) in {escape(org)}?</p>"
        f"<form method='post' action='/services/oauth2/authorize'>{hidden(fields)}"
        "<button id='oadeny' name='decision' value='deny'>Deny</button>"
        "<button id='oaapprove' name='decision' value='allow' class='brand'>Allow</button></form>"
        "<p class='muted'>To revoke access at any time, go to your personal settings.</p></div>",
        who="",
    )


def orgs_page(orgs: list[tuple[str, str, dict[str, dict[str, Any]]]], who: str) -> str:
    """All orgs and who can log in to them."""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(edition)}</td><td><code>{escape(username)}</code></td>"
        f"<td><code>{escape(str(user['password']))}</code></td></tr>"
        for name, edition, users in orgs
        for username, user in users.items()
    )
    body = (
        "<div class='card'><h1>Orgs <small>A stand-in for demo and tests. Nothing here is Salesforce.</small></h1>"
        "<div class='wrap'><table><thead><tr><th scope='col'>Org</th><th scope='col'>Edition</th>"
        "<th scope='col'>Username</th>"
        f"<th scope='col'>Password</th></tr></thead><tbody>{rows or _NO_ORGS}</tbody></table></div>"
        "<p><a class='button' href='/login'>Log In</a></p></div>"
    )
    return page("Orgs", body, who=who)


_NO_ORGS = "<tr><td colspan='4'>There is no org yet. Make one by the control API.</td></tr>"


def list_page(sobject: SObject, columns: list[Field], rows: list[dict[str, Any]], query: str, who: str) -> str:
    """The first hundred rows, by search."""
    head = "".join(f"<th scope='col'>{escape(field.label)}</th>" for field in columns)
    lines = "".join(
        "<tr>" + "".join(_cell(sobject, row, field, first=i == 0) for i, field in enumerate(columns)) + "</tr>"
        for row in rows
    )
    empty = f"<tr><td colspan='{len(columns)}'>No items to display.</td></tr>"
    new = f"<a class='button' href='/lightning/o/{sobject.name}/new'>New</a>" if "c" in sobject.flags else ""
    body = (
        f"<div class='card'><h1>{escape(sobject.plural)} <small>{len(rows)} items, at most 100 are shown</small></h1>"
        f"<form class='search' role='search'><input type='search' name='q' value='{escape(query)}' "
        f"aria-label='Search this list' placeholder='Search this list…'><button>Search</button></form>{new}"
        f"<div class='wrap'><table><thead><tr>{head}</tr></thead><tbody>{lines or empty}</tbody></table></div></div>"
    )
    return page(sobject.plural, body, who=who, tab=sobject.name)


def _cell(sobject: SObject, row: dict[str, Any], field: Field, *, first: bool) -> str:
    text = escape(_shown(row.get(field.name)))
    if first:
        text = f"<a href='/lightning/r/{sobject.name}/{row['Id']}/view'>{text or row['Id']}</a>"
    return f"<td>{text}</td>"


def _shown(value: Any) -> str:
    return "" if value is None else f"{value:,.10g}" if isinstance(value, float) else str(value)


def canvas_page(target: str, signed_request: str) -> str:
    """A Visualforce page with nothing but the framed app, which gets the signed request."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Syncline</title>"
        "<link rel='icon' href='data:,'><link rel='stylesheet' href='/_static/emulator.css'></head>"
        f"<body><form id='canvas-form' method='post' action='{escape(target)}' target='canvas'>"
        f"{hidden({'signed_request': signed_request})}</form>"
        "<iframe class='canvas' name='canvas' title='Syncline'></iframe>"
        "<script src='/_static/canvas.js'></script></body></html>"
    )


def _panel(sobject: SObject, row: dict[str, Any], link: str) -> str:
    """What the package puts on a layout: the panel, and the link to the quick view."""
    source = f"/apex/Syncline{sobject.name}?id={row['Id']}"
    return (
        "<aside class='card panel' aria-label='Syncline'><h2>Syncline</h2>"
        f"<p><a href='{escape(link)}' target='_blank' rel='noopener'>View in Syncline</a></p>"
        f"<iframe src='{escape(source)}' title='Syncline panel'></iframe></aside>"
    )


def record_page(sobject: SObject, row: dict[str, Any], who: str, error: str = "", link: str = "") -> str:
    """All fields of a record, with what can be done to it; with ``link`` also what the package adds to the layout."""
    title = _shown(row.get(sobject.name_field or "Id")) or str(row["Id"])
    state = (
        " · deleted" if row.get("IsDeleted") == "true" else " · converted" if row.get("IsConverted") == "true" else ""
    )
    listed = "".join(
        f"<div><dt>{escape(field.label)}</dt><dd>{_value(field, row.get(field.name))}</dd></div>"
        for field in sobject.fields.values()
        if field.is_stored
    )
    words = f"<p class='error' role='alert'>{escape(error)}</p>" if error else ""
    body = (
        f"<div class='card'><h1>{escape(title)} <small>{escape(sobject.label)} · {row['Id']}{state}</small></h1>{words}"
        f"<div class='actions'>{_actions(sobject, row)}</div></div>"
    )
    details = f"<div class='card'><dl>{listed}</dl></div>"
    body += f"<div class='beside'>{details}{_panel(sobject, row, link)}</div>" if link else details
    return page(title, body, who=who, tab=sobject.name)


def _value(field: Field, value: Any) -> str:
    text = escape(_shown(value))
    if field.type == "reference" and text:
        return f"<a href='/{text}'>{text}</a>"
    return text


def _actions(sobject: SObject, row: dict[str, Any]) -> str:
    here = f"/lightning/r/{sobject.name}/{row['Id']}"
    if row.get("IsDeleted") == "true":
        return _action(here, "undelete", "Undelete")
    found = f"<a class='button' href='{here}/edit'>Edit</a>"
    if "d" in sobject.flags:
        found += _action(here, "delete", "Delete")
    if sobject.name == "Lead" and row.get("IsConverted") != "true":
        found += _action(here, "convert", "Convert")
    return found


def _action(here: str, action: str, words: str) -> str:
    kind = " class='danger'" if action == "delete" else ""
    return f"<form method='post' action='{here}/{action}'><button{kind}>{words}</button></form>"


def edit_page(sobject: SObject, row: dict[str, Any], who: str, *, is_new: bool, error: str = "") -> str:
    """A form with the fields that may be written."""
    fields = [f for f in sobject.fields.values() if (f.is_createable if is_new else f.is_updateable) and f.is_stored]
    inputs = "".join(_input(field, row.get(field.name)) for field in fields)
    words = f"<p class='error' role='alert'>{escape(error)}</p>" if error else ""
    target = f"/lightning/o/{sobject.name}/new" if is_new else f"/lightning/r/{sobject.name}/{row['Id']}/edit"
    back = f"/lightning/o/{sobject.name}/list" if is_new else f"/lightning/r/{sobject.name}/{row['Id']}/view"
    title = f"New {sobject.label}" if is_new else f"Edit {_shown(row.get(sobject.name_field or 'Id'))}"
    body = (
        f"<form class='card' method='post' action='{target}'><h1>{escape(title)}</h1>{words}"
        f"<div class='fields'>{inputs}</div>"
        f"<button class='brand' name='save' value='1'>Save</button><a class='button' href='{back}'>Cancel</a></form>"
    )
    return page(title, body, who=who, tab=sobject.name)


def _input(field: Field, value: Any) -> str:
    name, text = escape(field.name), escape("" if value is None else str(value))
    star = " *" if field.is_required else ""
    label = f"<label for='{name}'>{escape(field.label)}{star}</label>"
    if field.type == "boolean":
        checked = " checked" if value == "true" else ""
        box = f"<input type='checkbox' name='{name}' value='true'{checked}>"
        return f"<div><label>{box} {escape(field.label)}</label></div>"
    if field.type == "textarea":
        return f"<div>{label}<textarea id='{name}' name='{name}'>\n{text}</textarea></div>"
    if field.type == "picklist" and field.values:
        known = [value.value for value in field.values]
        choices = ["", *known] if value in (None, *known) else ["", str(value), *known]
        options = "".join(
            f"<option{' selected' if one == (value or '') else ''}>{escape(one)}</option>" for one in choices
        )
        return f"<div>{label}<select id='{name}' name='{name}'>{options}</select></div>"
    return f"<div>{label}<input id='{name}' name='{name}' value='{text}'></div>"
