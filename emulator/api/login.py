"""OAuth endpoints: authorize with its login and allow pages, token, revoke, introspect, userinfo, identity."""

import base64
import re
import secrets
from typing import Any
from urllib.parse import unquote, urlencode

from emulator import pages
from emulator.call import HTML, Call, Response
from emulator.errors import OAuthRefused, Refused, bare, not_found
from emulator.grants import Access, App, Grant, signature
from emulator.org import Org

_KEPT = ("response_type", "client_id", "redirect_uri", "state", "scope", "code_challenge", "code_challenge_method",
         "prompt", "login_hint", "nonce", "display")  # fmt: skip
_SCOPES = {
    "id": "Access the identity URL service", "openid": "Access unique user identifiers",
    "profile": "Access your profile",
    "email": "Access your e-mail address", "api": "Manage user data via APIs",
    "web": "Manage user data via Web browsers",
    "full": "Full access", "refresh_token": "Perform requests at any time",
    "offline_access": "Perform requests at any time", "chatter_api": "Access Connect REST API resources",
}  # fmt: skip
DEFAULT_SCOPE = "id api refresh_token"


# -- sessions of people -----------------------------------------------------------------------------------------


def session_of(call: Call) -> tuple[Org, str] | None:
    """The org and username of the browser's session."""
    found = re.search(r"(?:^|;\s*)sid=([\w-]+)", call.headers.get("cookie", ""))
    return _session(call, found.group(1)) if found else None


def _session(call: Call, key: str) -> tuple[Org, str] | None:
    org_id, _, username = call.world.sessions.get(key, "").partition(" ")
    org = call.world.orgs.get(org_id)
    return (org, username) if org is not None and username in org.users else None


def start_session(call: Call, username: str, password: str) -> str | None:
    """The key of a new session; None for wrong credentials."""
    found = call.world.find_user(username.strip())
    if found is None or found[1]["password"] != password:
        return None
    row = found[0].user_by_id(found[1]["id"])
    if row is None or row["IsActive"] != "true":
        return None
    key = secrets.token_urlsafe(24)
    call.world.sessions[key] = f"{found[0].id} {username.strip()}"
    return key


def cookie(key: str) -> dict[str, str]:
    return {"Set-Cookie": f"sid={key}; Path=/; HttpOnly; SameSite=Lax"}


def html(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A page; no script, style from our own sheet only."""
    policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    return Response(
        status, headers={"Content-Security-Policy": policy, **(headers or {})}, kind=HTML, body=text.encode()
    )


def redirect(url: str, headers: dict[str, str] | None = None) -> Response:
    return Response(302, headers={"Location": url, **(headers or {})}, kind="text/html", body=b"")


# -- authorize --------------------------------------------------------------------------------------------------


def authorize(call: Call) -> Response:
    """The browser's part of the web server flow: log in, allow or deny, back to the callback."""
    asked = call.query if call.method == "GET" else call.form()
    kept = {key: asked[key] for key in _KEPT if asked.get(key)}
    app = call.world.grants.apps.get(kept.get("client_id", ""))
    if app is None:
        return _broken("invalid_client_id", "client identifier invalid")
    if not app.allows_callback(kept.get("redirect_uri", "")):
        return _broken("redirect_uri_mismatch", "redirect_uri must match configuration")
    wrong = _wrong_request(app, kept)
    if wrong is not None:
        return back(kept, {"error": wrong[0], "error_description": wrong[1]})
    if call.method == "GET":
        return _start(call, app, kept)
    if "un" in asked:
        return _log_in(call, app, kept, asked)
    session = session_of(call) if not asked.get("session") else _session(call, asked["session"])
    if session is None:
        return html(pages.login_page("/services/oauth2/authorize", kept, "Your session has ended. Log in again."))
    if asked.get("decision") != "allow":
        return back(kept, {"error": "access_denied", "error_description": "end-user denied authorization"})
    return _grant(call, app, kept, *session)


def _broken(error: str, description: str) -> Response:
    """Where the callback cannot be trusted, the browser stays here."""
    return html(pages.page("OAuth Error", pages.notice(f"error={error}", description)), 400)


def _wrong_request(app: App, kept: dict[str, str]) -> tuple[str, str] | None:
    if kept.get("response_type", "code") != "code":
        return "unsupported_response_type", "response type not supported"
    if app.requires_pkce and "code_challenge" not in kept:
        return "invalid_request", "missing required code challenge"
    if "code_challenge" in kept and kept.get("code_challenge_method", "S256") != "S256":
        return "invalid_request", "invalid code challenge method"
    if "code_challenge" in kept and not re.fullmatch(r"[A-Za-z0-9_-]{43}", kept["code_challenge"]):
        return "invalid_request", "invalid code challenge"
    unknown = [scope for scope in kept.get("scope", "").split() if scope not in _SCOPES]
    return ("invalid_scope", f"the requested scope is not allowed: {unknown[0]}") if unknown else None


def _start(call: Call, app: App, kept: dict[str, str]) -> Response:
    prompts = set(kept.get("prompt", "").split())
    session = None if "login" in prompts else session_of(call)
    if session is None:
        if "none" in prompts:
            return back(kept, {"error": "login_required", "error_description": "login is required"})
        return html(pages.login_page("/services/oauth2/authorize", kept))
    org, username = session
    if "consent" not in prompts and call.world.grants.is_approved(org.id, username, app.client_id):
        return _grant(call, app, kept, org, username)
    return _allow_page(app, kept, org, username, "")


def _log_in(call: Call, app: App, kept: dict[str, str], asked: dict[str, str]) -> Response:
    key = start_session(call, asked["un"], asked.get("pw", ""))
    if key is None:
        words = "Please check your username and password. If you still can't log in, contact your administrator."
        return html(pages.login_page("/services/oauth2/authorize", kept, words, asked["un"]))
    found = _session(call, key)
    assert found is not None
    response = _allow_page(app, kept, *found, key)
    response.headers |= cookie(key)
    return response


def _allow_page(app: App, kept: dict[str, str], org: Org, username: str, key: str) -> Response:
    scopes = [_SCOPES[scope] for scope in (kept.get("scope") or DEFAULT_SCOPE).split()]
    hidden = {**kept, "session": key} if key else kept
    user = org.users[username]["name"]
    return html(pages.allow_page(hidden, app.name, list(dict.fromkeys(scopes)), user, username, org.name))


def _grant(call: Call, app: App, kept: dict[str, str], org: Org, username: str) -> Response:
    refusal = org.options.get("authorize_error")
    if refusal:
        return back(kept, {"error": refusal["error"], "error_description": refusal["error_description"]})
    scope = kept.get("scope") or DEFAULT_SCOPE
    code = call.world.grants.new_code(
        org, username, app.client_id, kept.get("code_challenge", ""), kept["redirect_uri"], scope
    )
    return back(kept, {"code": code})


def back(kept: dict[str, str], answer: dict[str, str]) -> Response:
    """To the callback, with the state as it came."""
    if "state" in kept:
        answer = answer | {"state": kept["state"]}
    glue = "&" if "?" in kept["redirect_uri"] else "?"
    return redirect(f"{kept['redirect_uri']}{glue}{urlencode(answer)}")


# -- tokens -----------------------------------------------------------------------------------------------------


def token(call: Call) -> Response:
    """The token endpoint; no ``expires_in``, and a refresh token only where one is given (facts.md, section 2)."""
    form = _client_form(call)
    kind = form.get("grant_type", "")
    grants = call.world.grants
    if kind not in {"authorization_code", "refresh_token", "password"}:
        raise OAuthRefused("unsupported_grant_type", "grant type not supported")
    app = grants.app_of(form)
    refresh = ""
    if kind == "authorization_code":
        access, made, grant = grants.exchange(app, form)
        refresh = grant.refresh_token
    elif kind == "refresh_token":
        access, made, grant, rotated = grants.refresh(app, form)
        refresh = grant.refresh_token if rotated else ""
    else:
        access, made, grant = _by_password(call, app, form)
    org = call.world.org(access.org_id)
    call.found_org, call.username = org, access.username
    _check_person(org, access)
    call.world.save()
    return Response(200, token_answer(call, app, org, access, made, refresh), {"Cache-Control": "no-cache, no-store"})


def _client_form(call: Call) -> dict[str, str]:
    """The form, with client credentials of a Basic header put in."""
    form = call.form() or dict(call.query)
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(value).decode().partition(":")
        except ValueError:
            raise OAuthRefused("invalid_client", "invalid client credentials") from None
        form = {"client_id": unquote(name), "client_secret": unquote(secret), **form}
    return form


def _check_person(org: Org, access: Access) -> None:
    row = org.user_by_id(org.users[access.username]["id"])
    if row is None or row["IsActive"] != "true":
        raise OAuthRefused("invalid_grant", "inactive user")
    refusal = org.options.get("token_error")
    if refusal:
        raise OAuthRefused(refusal["error"], refusal["error_description"])


def _by_password(call: Call, app: App, form: dict[str, str]) -> tuple[Access, str, Grant]:
    found = call.world.find_user(form.get("username", ""))
    if found is None or not form.get("password", "").startswith(found[1]["password"]):
        raise OAuthRefused("invalid_grant", "authentication failure")
    return call.world.grants.password(app, found[0], form["username"])


def token_answer(call: Call, app: App, org: Org, access: Access, made: str, refresh: str) -> dict[str, Any]:
    identity = f"{call.base}/id/{org.id}/{org.users[access.username]['id']}"
    issued = str(int(access.issued_at * 1000))
    answer = {"access_token": made}
    if refresh:
        answer["refresh_token"] = refresh
    answer |= {"signature": signature(app.client_secret, identity, issued), "scope": access.scope}
    answer |= {"instance_url": call.base, "id": identity, "token_type": "Bearer", "issued_at": issued}
    return answer


def revoke(call: Call) -> Response:
    """End a token; 200 without a body."""
    call.world.grants.revoke((call.form() or call.query).get("token", ""))
    call.world.save()
    return Response(200, kind="text/html;charset=UTF-8", body=b"")


def introspect(call: Call) -> Response:
    """What a token is worth (recorded/oauth/quoted)."""
    form = _client_form(call)
    app = call.world.grants.app_of(form)
    found = call.world.grants.introspect(app, form.get("token", ""))
    if found is None:
        return Response(200, {"active": False})
    org = call.world.org(found.org_id)
    kind = "access_token" if isinstance(found, Access) else "refresh_token"
    answer: dict[str, Any] = {"active": True, "scope": found.scope, "client_id": found.client_id}
    answer |= {"username": found.username, "sub": f"{call.base}/id/{org.id}/{org.users[found.username]['id']}"}
    answer["token_type"] = kind
    if isinstance(found, Access):
        issued = int(found.issued_at)
        answer |= {"exp": int(found.expires_at), "iat": issued, "nbf": issued}
    return Response(200, answer)


# -- who ----------------------------------------------------------------------------------------------------------


def authenticate(call: Call) -> None:
    """Find org and user of the bearer token; raises Refused (errors/INVALID_SESSION_ID-401.json)."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme and scheme.lower() not in {"bearer", "oauth"}:
        raise bare("INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", 401)
    access = call.world.grants.live(value.strip() or call.query.get("access_token", ""))
    org = call.world.orgs.get(access.org_id) if access else None
    if access is None or org is None or access.username not in org.users:
        raise bare("INVALID_SESSION_ID", "Session expired or invalid", 401)
    call.found_org, call.username, call.scope = org, access.username, access.scope
    call.user_id = org.users[access.username]["id"]


def userinfo(call: Call) -> Response:
    """OpenID Connect's view of the user (oauth/userinfo-200.json)."""
    authenticate(call)
    row = call.org.user_by_id(call.user_id) or {}
    answer = _who(call, row)
    sub = {"sub": answer["id"], "user_id": call.user_id, "organization_id": call.org.id}
    base = call.base
    return Response(200, {
        **sub, "preferred_username": call.username, "nickname": row.get("CommunityNickname"), "name": row.get("Name"),
        "email": row.get("Email"), "email_verified": True, "given_name": row.get("FirstName"),
        "family_name": row.get("LastName"), "zoneinfo": row.get("TimeZoneSidKey"),
        "photos": {"picture": f"{base}/profilephoto/005/F", "thumbnail": f"{base}/profilephoto/005/T"},
        "profile": f"{base}/{call.user_id}", "picture": f"{base}/profilephoto/005/F", "address": {},
        "is_salesforce_integration_user": False,
        "urls": answer["urls"], "active": True, "user_type": "STANDARD", "language": "en_US", "locale": "en_US",
        "utcOffset": 3600000, "updated_at": answer["updated_at"],
    })  # fmt: skip


def identity(call: Call) -> Response:
    """The identity URL (oauth/identity-url-200.json)."""
    if not call.headers.get("authorization") and "oauth_token" in call.query:
        call.headers["authorization"] = f"Bearer {call.query['oauth_token']}"
    try:
        authenticate(call)
    except Refused:
        token_given = bool(call.headers.get("authorization"))
        return Response(403, kind="text/html", body=b"Bad_OAuth_Token" if token_given else b"Missing_OAuth_Token")
    parts = call.path.strip("/").split("/")
    if len(parts) != 3 or parts[1][:15] != call.org.id[:15] or parts[2][:15] != call.user_id[:15]:
        raise not_found()
    return Response(200, _who(call, call.org.user_by_id(call.user_id) or {}))


def _who(call: Call, row: dict[str, Any]) -> dict[str, Any]:
    org, base = call.org, call.base
    data = f"{base}/services/data/v{{version}}/"
    return {
        "id": f"{base}/id/{org.id}/{call.user_id}", "asserted_user": True, "user_id": call.user_id,
        "organization_id": org.id, "username": call.username, "nick_name": row.get("CommunityNickname"),
        "display_name": row.get("Name"), "email": row.get("Email"), "email_verified": True,
        "first_name": row.get("FirstName"), "last_name": row.get("LastName"), "timezone": row.get("TimeZoneSidKey"),
        "photos": {"picture": f"{base}/profilephoto/005/F", "thumbnail": f"{base}/profilephoto/005/T"},
        "addr_street": row.get("Street"), "addr_city": row.get("City"), "addr_state": row.get("State"),
        "addr_country": row.get("Country"), "addr_zip": row.get("PostalCode"), "mobile_phone": row.get("MobilePhone"),
        "mobile_phone_verified": False, "is_lightning_login_user": False,
        "status": {"created_date": None, "body": None},
        "urls": {
            "enterprise": f"{base}/services/Soap/c/{{version}}/{org.id[:15]}",
            "metadata": f"{base}/services/Soap/m/{{version}}/{org.id[:15]}",
            "partner": f"{base}/services/Soap/u/{{version}}/{org.id[:15]}",
            "rest": data, "sobjects": f"{data}sobjects/", "search": f"{data}search/", "query": f"{data}query/",
            "recent": f"{data}recent/", "tooling_soap": f"{base}/services/Soap/T/{{version}}/{org.id[:15]}",
            "tooling_rest": f"{data}tooling/", "profile": f"{base}/{call.user_id}", "feeds": f"{data}chatter/feeds",
            "groups": f"{data}chatter/groups", "users": f"{data}chatter/users",
            "feed_items": f"{data}chatter/feed-items",
            "feed_elements": f"{data}chatter/feed-elements", "custom_domain": base,
        },
        "active": True, "user_type": "STANDARD", "language": "en_US", "locale": "en_US", "utcOffset": 3600000,
        "last_modified_date": str(row.get("LastModifiedDate", "")).replace("Z", "+0000"),
        "updated_at": str(row.get("SystemModstamp", "")).replace("Z", "+0000"), "is_app_installed": True,
    }  # fmt: skip
