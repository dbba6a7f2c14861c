"""SOAP ``login()`` of the partner API, as recorded (recorded/soap); nothing else of SOAP."""

import re
from html import unescape
from xml.sax.saxutils import escape

from emulator.call import Call, Response
from emulator.grants import CLIENT_ID
from emulator.org import Org

_MOST_FAILURES = 5
_KIND = "text/xml; charset=utf-8"
_LAST_VERSION = 64.0
_INVALID = "Invalid username, password, security token; or user locked out."
_MESSAGES = {
    "INVALID_OPERATION": "SOAP API login() is disabled by default in this org. Contact the org administrator to "
    "enable SOAP API login().",
    "LOGIN_MUST_USE_SECURITY_TOKEN": "Invalid username, password, security token; or user locked out. Are you at a "
    "new location? When accessing Salesforce--either via a desktop client or the API--from outside of your company's "
    "trusted networks, you must add a security token to your password to log in.",
    "UNSUPPORTED_API_VERSION": "Invalid Api version specified on URL",
    "API_DISABLED_FOR_ORG": "API is not enabled for this Organization or Partner",
}


def soap(call: Call) -> Response:
    """Log in; ``soap_error`` of an org is the fault that it answers with instead."""
    found = re.fullmatch(r"/services/Soap/u/(\d+\.\d)(?:/.*)?", call.path)
    text = call.body.decode(errors="replace")
    if call.method != "POST" or found is None or "<login " not in text:
        return _fault("INVALID_OPERATION", "The operation is not known.")
    if float(found.group(1)) > _LAST_VERSION:
        return _fault("UNSUPPORTED_API_VERSION")
    username, password = _told(text, "username"), _told(text, "password")
    match = call.world.find_user(username)
    if match is None:
        return _fault("INVALID_LOGIN", _INVALID)
    org, user = match
    refusal = org.options.get("soap_error")
    if refusal:
        return _fault(refusal, _MESSAGES.get(refusal, refusal))
    failures = org.soap_failures.get(username, 0)
    if failures >= _MOST_FAILURES or password != user["password"] + str(org.options.get("security_token") or ""):
        org.soap_failures[username] = failures + 1
        return _fault("INVALID_LOGIN", _INVALID)
    org.soap_failures.pop(username, None)
    row = org.user_by_id(user["id"])
    if row is None or row["IsActive"] != "true":
        return _fault("INVALID_LOGIN", _INVALID)
    _, token, _ = call.world.grants.password(call.world.grants.apps[CLIENT_ID], org, username)
    call.world.save()
    return Response(200, kind=_KIND, body=_answer(call, org, username, token).encode())


def _told(text: str, name: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>", text, re.S)
    return unescape(found.group(1)) if found else ""


def _fault(code: str, message: str = "") -> Response:
    words = escape(message or _MESSAGES.get(code, code))
    return Response(
        500,
        kind="text/xml;charset=UTF-8",
        body=(
            '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/'
            'envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-'
            f'instance"><soapenv:Body><soapenv:Fault><faultcode>{code}</faultcode><faultstring>{code}: {words}'
            f'</faultstring><detail><sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>{code}'
            f"</sf:exceptionCode><sf:exceptionMessage>{words}</sf:exceptionMessage></sf:LoginFault></detail>"
            "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
        ).encode(),
    )


def _answer(call: Call, org: Org, username: str, token: str) -> str:
    user_id = org.users[username]["id"]
    row = org.user_by_id(user_id) or {}
    mail, full_name = escape(str(row.get("Email") or "")), escape(str(row.get("Name") or ""))
    expired = "true" if org.options.get("password_expired") else "false"
    server = f"{call.base}/services/Soap/u/64.0/{org.id[:15]}"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/'
        'envelope/" xmlns="urn:partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Body><loginResponse><result><metadataServerUrl>{server.replace('/u/', '/m/')}</metadataServerUrl>"
        f"<passwordExpired>{expired}</passwordExpired><sandbox>false</sandbox><serverUrl>{server}</serverUrl>"
        f"<sessionId>{token}</sessionId><userId>{user_id}</userId><userInfo><organizationId>{org.id}</organizationId>"
        f"<organizationName>{escape(org.name)}</organizationName><sessionSecondsValid>7200</sessionSecondsValid>"
        f"<userEmail>{mail}</userEmail><userFullName>{full_name}"
        f"</userFullName><userId>{user_id}</userId><userName>{escape(username)}</userName><userType>Standard</userType>"
        "</userInfo></result></loginResponse></soapenv:Body></soapenv:Envelope>"
    )
