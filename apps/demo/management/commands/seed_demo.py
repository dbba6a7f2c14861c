"""``manage.py seed_demo``: the demo's accounts and orgs; the supervisor shows how to log in."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.demo import story
from apps.demo.emulated import EmulatedOrgs


class Command(BaseCommand):
    """Safe to run at every start: what is there stays."""

    help = "Fill a demo with two accounts and two Salesforce orgs."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            base_url = os.environ["SYNCLINE_EMULATOR_URL"]
            email, password = os.environ["SYNCLINE_DEMO_EMAIL"], os.environ["SYNCLINE_DEMO_PASSWORD"]
        except KeyError as missing:
            raise CommandError(f"{missing} is not set: `python3 manage.py demo` sets it.") from None
        story.tell(EmulatedOrgs(base_url), email, password)
        facts = os.environ.get("SYNCLINE_DEMO_FACTS")
        if facts:
            login = f"{story.WAITING_LOGIN} / {story.SALESFORCE_PASSWORD}"
            Path(facts).write_text(json.dumps({f"Salesforce log-in for {story.WAITING}": login}), encoding="utf-8")
