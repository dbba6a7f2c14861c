"""What people of the story did before anybody looks: opens, clicks, visits, forms, a list and a sequence."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from apps.audience.models import Person
from apps.audience.services.engagements import EventDraft, record_engagements
from apps.audience.services.lists import add_to_list, create_list
from apps.audience.services.sequences import create_sequence, enrol
from apps.tenants.models import User

_MAILS = ("Autumn catalogue", "Your trail, your pace", "Ten huts worth the climb", "Care for your boots")
_PAGES = ("/tents/", "/boots/alpine/", "/guides/first-winter/", "/pricing/business/", "/stores/")
_CHANNELS = (("search", "ads"), ("email", "newsletter"), ("social", "video"), ("referral", "partner"))
_DAYS = 30


def tell_engagement(user: User, leads: list[dict[str, Any]]) -> None:
    """Let these leads of the org (``Email``) be known here already, with a month of engagement each."""
    rng = random.Random(5)  # noqa: S311  # chance in a story, no secret
    now = timezone.now()
    events = [event for number, lead in enumerate(leads) for event in _month_of(rng, number, lead["Email"], now)]
    known = [one.person_id for one in record_engagements(events=events, origin="api") if one.person_id is not None]
    people = list(Person.objects.filter(id__in=set(known)).order_by("id"))
    newsletter = create_list(name="Newsletter readers", user=user)
    add_to_list(people=people, to=newsletter, origin="manual", user=user)
    welcome = create_sequence(name="Welcome to Contoso", description="Four mails in two weeks.", user=user)
    enrol(people=people[::3], sequence=welcome, origin="manual", user=user)


def _month_of(rng: random.Random, number: int, email: str, now: datetime) -> list[EventDraft]:
    channel, source = rng.choice(_CHANNELS)
    drafts: list[EventDraft] = []

    def add(kind: str, days: float, **details: str) -> None:
        drafts.append(
            EventDraft(
                kind=kind,
                email=email,
                happened_at=now - timedelta(days=days),
                external_id=f"story-{number}-{len(drafts)}",
                details=details,
                creates=True,
            )
        )

    first = rng.uniform(_DAYS / 2, _DAYS)
    add("page_visited", first, url=f"https://shop.example{rng.choice(_PAGES)}", channel=channel, source=source)
    if rng.random() < 0.4:
        add("form_submitted", first - 0.01, form="Catalogue by post", url="https://shop.example/catalogue/")
    for mail in rng.sample(_MAILS, rng.randint(1, len(_MAILS))):
        sent = rng.uniform(1, first)
        add("email_sent", sent, email=mail)
        if rng.random() < 0.7:
            add("email_opened", sent - 0.1, email=mail)
            if rng.random() < 0.5:
                add("email_clicked", sent - 0.11, email=mail, link=f"https://shop.example{rng.choice(_PAGES)}")
    for _ in range(rng.randint(0, 3)):
        add("page_visited", rng.uniform(0.1, first), url=f"https://shop.example{rng.choice(_PAGES)}", source=source)
    if number % 17 == 3:
        add("unsubscribed", 0.5, email=_MAILS[0])
    return drafts
