"""Signed requests as Salesforce makes them, and as others would like to."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

ORG_ID = "00D000000000001EAA"
LEAD_ID = "00Q000000000001EAA"
SECRET = "emulator-consumer-secret"


def envelope(**changes: Any) -> dict[str, Any]:
    """What Canvas says; ``changes`` replace parts of it by their path, as in ``context__user__fullName``."""
    said: dict[str, Any] = {
        "algorithm": "HMACSHA256",
        "issuedAt": int(time.time() * 1000),
        "userId": "005000000000001AAA",
        "client": {"oauthToken": f"{ORG_ID}!{time.time_ns()}", "instanceUrl": "https://northwind.my.salesforce.com"},
        "context": {
            "user": {"userId": "005000000000001AAA", "fullName": "Grace Hopper", "userName": "grace@northwind.example"},
            "organization": {"organizationId": ORG_ID, "name": "Northwind"},
            "environment": {
                "displayLocation": "Visualforce",
                "record": {"attributes": {"type": "Lead"}, "Id": LEAD_ID},
                "parameters": {"recordId": LEAD_ID},
            },
        },
    }
    for path, value in changes.items():
        *way, last = path.split("__")
        place = said
        for step in way:
            place = place[step]
        place[last] = value
    return said


def sign(said: Any, secret: str = SECRET) -> str:
    """Sign what is said, whatever it is."""
    return sign_payload(base64.b64encode(json.dumps(said).encode()), secret)


def sign_payload(payload: bytes, secret: str = SECRET) -> str:
    """Sign a payload, be it base64 or not."""
    mac = hmac.new(secret.encode(), payload, hashlib.sha256).digest()
    return f"{base64.b64encode(mac).decode()}.{payload.decode()}"
