"""Canvas: what Salesforce posts to a framed app, signed with the consumer secret (facts.md, section 13)."""

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any

from emulator.grants import App
from emulator.org import Org
from emulator.schema import SObject

PANELS = ("Lead", "Contact")
"""Objects whose layouts have the panel of the package."""


def has_panel(org: Org, app: App, sobject: SObject) -> bool:
    """Whether a record's page shows the panel: the app has an address, and the package is installed."""
    return bool(app.canvas_url) and sobject.name in PANELS and "Syncline_Id__c" in sobject.fields


def canvas_request(org: Org, app: App, username: str, sobject: SObject, record_id: str, base: str, at: float) -> Any:
    """The CanvasRequest for a record's page: its fields are those of the Canvas guide, "CanvasRequest"."""
    user, moment = org.users[username], int(at * 1000)
    first, _, last = str(user["name"]).rpartition(" ")
    record = {"attributes": {"type": sobject.name, "url": f"/services/data/v66.0/sobjects/{sobject.name}/{record_id}"}}
    return {
        "algorithm": "HMACSHA256",
        "issuedAt": moment,
        "userId": user["id"],
        "client": {
            "refreshId": app.client_id,
            "instanceId": f"_:Syncline:{secrets.token_hex(4)}:canvas",
            "targetOrigin": base,
            "instanceUrl": base,
            "oauthToken": f"{org.id[:15]}!{secrets.token_urlsafe(48)}",
        },
        "context": {
            "user": {
                "userId": user["id"],
                "userName": username,
                "firstName": first,
                "lastName": last,
                "fullName": user["name"],
                "email": username,
                "locale": "en_US",
                "language": "en_US",
                "timeZone": "Europe/Berlin",
                "userType": "STANDARD",
            },
            "links": {"loginUrl": base, "sobjectUrl": "/services/data/v66.0/sobjects/"},
            "application": {
                "name": app.name, "developerName": "Syncline", "authType": "SIGNED_REQUEST", "version": "1.0",
            },
            "organization": {"organizationId": org.id, "name": org.name, "multicurrencyEnabled": False},
            "environment": {
                "displayLocation": "Visualforce",
                "locationUrl": f"{base}/apex/Syncline{sobject.name}?id={record_id}",
                "uiTheme": "Theme4d",
                "dimensions": {"width": "100%", "height": "640px", "maxWidth": "infinite", "maxHeight": "infinite"},
                "record": {**record, "Id": record_id},
                "parameters": {"recordId": record_id, "renderedAt": str(moment)},
                "version": {"season": "SPRING", "api": "66.0"},
            },
        },
    }  # fmt: skip


def signed(request: Any, secret: str) -> str:
    """Base64 of the MAC over the encoded JSON, a dot, and the encoded JSON."""
    payload = base64.b64encode(json.dumps(request).encode())
    mac = hmac.new(secret.encode(), payload, hashlib.sha256).digest()
    return f"{base64.b64encode(mac).decode()}.{payload.decode()}"
