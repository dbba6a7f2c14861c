"""Which part of the emulator answers a path."""

import re

from emulator.api import canvas, login, people, soap
from emulator.api.control import control
from emulator.api.data import answer_data
from emulator.call import Call, Response
from emulator.errors import not_found
from emulator.pages import STYLE

_OAUTH = {
    "/services/oauth2/authorize": login.authorize,
    "/services/oauth2/token": login.token,
    "/services/oauth2/revoke": login.revoke,
    "/services/oauth2/introspect": login.introspect,
    "/services/oauth2/userinfo": login.userinfo,
}


def dispatch(call: Call) -> Response:
    """The answer of a call; raises what ``call.refusal`` knows."""
    path = call.path
    if path.startswith("/_control/"):
        return control(call)
    if path in _OAUTH:
        return _OAUTH[path](call)
    if path.startswith("/services/data"):
        return answer_data(call)
    if path.startswith("/services/Soap/u/"):
        return soap.soap(call)
    if path.startswith("/id/"):
        return login.identity(call)
    if path == "/_static/emulator.css":
        return Response(
            200, kind="text/css;charset=UTF-8", body=STYLE.encode(), headers={"Cache-Control": "max-age=60"}
        )
    if path == "/_static/canvas.js":
        return Response(200, kind="text/javascript;charset=UTF-8", body=canvas.SCRIPT)
    if path.startswith("/apex/Syncline"):
        return canvas.visualforce_page(call)
    if path == "/favicon.ico":
        return Response(204)
    if path.startswith("/services/"):
        raise not_found()
    if re.fullmatch(r"/|/login|/logout|/[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?|/lightning/.*", path):
        return people.page_for(call)
    raise not_found()
