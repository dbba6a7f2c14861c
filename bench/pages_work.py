"""What ``bench.pages`` seeds and asks; imported once Django is set up."""

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from apps.audience.services.saved_filters import save_filter
from apps.core.db import app_transaction
from apps.integrations.models import Connection
from apps.sync.models import SyncRun
from apps.tenants.models import User
from apps.tenants.scope import tenant_transaction
from apps.tenants.services.tenants import create_tenant

_SMALL_TENANTS = 200
_SMALL_PEOPLE = 50
_MORE_QUERIES = 5
"""A page of a filter without an index looks in so many strides and no more."""
_NAMES = "(ARRAY['Smith','Jones','Müller','García','Okafor','Tanaka','Novak','Rossi','Silva','Kowalski'])"
_PEOPLE = f"""
INSERT INTO audience_person (tenant_id, email, first_name, last_name, title, company_name, city, country, source,
    leading_sobject, leading_remote_id, email_opt_out, is_active, company_id)
SELECT %(tenant)s, 'person' || i || '@' || (i %% 5000) || '.example', 'First' || (i %% 700),
    {_NAMES}[1 + i %% 10] || (i %% 9000), (ARRAY['CEO','CTO','Buyer','Engineer'])[1 + i %% 4],
    'Company ' || (i %% 100000), (ARRAY['Rome','Oslo','Lima','Kyiv','Pune'])[1 + i %% 5], 'X',
    CASE WHEN i %% 20 = 0 THEN 'form' ELSE 'salesforce' END,
    CASE WHEN i %% 20 = 0 THEN '' WHEN i %% 3 = 0 THEN 'Contact' ELSE 'Lead' END, '',
    i %% 50 = 0, i %% 100 <> 0, NULL
FROM generate_series(1, %(count)s) i
"""
_COMPANIES = """
INSERT INTO audience_company (tenant_id, name, website, domain, industry, source, leading_sobject)
SELECT %(tenant)s, 'Company ' || i, 'https://c' || i || '.example', 'c' || i || '.example', 'Machines',
    CASE WHEN i %% 20 = 0 THEN 'manual' ELSE 'salesforce' END, CASE WHEN i %% 20 = 0 THEN '' ELSE 'Account' END
FROM generate_series(1, %(count)s) i
"""
_OPPORTUNITIES = """
INSERT INTO audience_opportunity (tenant_id, name, stage, amount, close_date)
SELECT %(tenant)s, 'Deal ' || i, (ARRAY['Prospecting','Closed Won','Closed Lost'])[1 + i %% 3], i,
    current_date - i %% 900
FROM generate_series(1, %(count)s) i
"""
_LINKS = """
INSERT INTO sync_recordlink (tenant_id, connection_id, remote_id, sobject, person_id, remote_stamp, pulled_at)
SELECT %(tenant)s, %(connection)s, '00Q' || lpad(p.id::text, 15, '0'), 'Lead', p.id, now(), now()
FROM audience_person p WHERE p.tenant_id = %(tenant)s AND p.source = 'salesforce'
"""
_ERRORS = """
INSERT INTO sync_errors_syncerror (tenant_id, connection_id, fingerprint, state, category, sobject, remote_id, message,
    record_label, last_seen, first_seen)
SELECT %(tenant)s, %(connection)s, md5(i::text), (ARRAY['open','retrying','blocked','resolved','cleared'])[1 + i %% 5],
    (ARRAY['too_long','required_field_missing','duplicate_detected','row_locked'])[1 + i %% 4], 'Lead',
    '00Q' || lpad(i::text, 15, '0'), 'It is too long.', 'Person ' || i, now() - i * interval '1 second', now()
FROM generate_series(1, %(count)s) i
"""
_RUNS = """
INSERT INTO sync_syncrun (tenant_id, connection_id, kind, trigger, requested_by_label, state, settings_version,
    sobjects, step, waiting_reason, warnings, failure, attempts, started_at, finished_at, queued_at)
SELECT %(tenant)s, %(connection)s, 'differential', 'schedule', '', 'completed', 0, '[]', '', '', '[]', '', 0, now(),
    now(), now() - i * interval '5 minutes'
FROM generate_series(1, %(count)s) i
"""
_ENTRIES = """
INSERT INTO sync_runentry (tenant_id, run_id, sobject, remote_id, local_type, local_id, action, changes)
SELECT %(tenant)s, %(run)s, 'Lead', '', 'person', %(first)s + i, 'updated',
    '{"title": {"before": "CTO", "after": "CEO", "rule": "remote_moved"}}'::jsonb
FROM generate_series(1, %(count)s) i
"""
_CHANGES = """
INSERT INTO outbox_outboundchange (tenant_id, local_type, local_id, fields, state)
SELECT %(tenant)s, 'person', %(first)s + i, '{"title": {"at": "2026-01-01T00:00:00+00:00", "origin": "user"}}'::jsonb,
    (ARRAY['waiting','held'])[1 + i %% 2]
FROM generate_series(1, %(count)s) i
"""
_LISTS = """
INSERT INTO audience_list (tenant_id, name) SELECT %(tenant)s, 'List ' || i FROM generate_series(1, %(count)s) i
"""
_MEMBERS = """
INSERT INTO audience_listmembership (tenant_id, list_id, person_id)
SELECT %(tenant)s, %(list)s, %(first)s + i FROM generate_series(1, %(count)s) i
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one address took."""

    url: str
    p50: float
    p95: float
    cpu: float
    queries: int
    queries_when_small: int

    def is_wrong(self, limit_ms: float) -> bool:
        """Too slow, or it asks more the more there is."""
        return self.p95 > limit_ms or self.queries > self.queries_when_small + _MORE_QUERIES


class House:
    """One big tenant beside many small ones."""

    def __init__(self, people: int) -> None:
        self.people = people
        with app_transaction():
            self.user = User.objects.create_user("owner@big.example", "bench")
            other = User.objects.create_user("owner@small.example", "bench")
        self.big = create_tenant(name="Big", owner=self.user).pk
        self.smalls = [create_tenant(name=f"Small {n}", owner=other).pk for n in range(_SMALL_TENANTS)]
        self.small_user = other

    def seed(self) -> float:
        """Fill the tables by statements over sets; answers the seconds."""
        began = time.monotonic()
        for tenant_id in self.smalls:
            self._fill(tenant_id, _SMALL_PEOPLE)
        self._fill(self.big, self.people)
        with connections["owner"].cursor() as cursor:
            cursor.execute("ANALYZE")
        return time.monotonic() - began

    def _fill(self, tenant_id: int, people: int) -> None:
        tenth = max(people // 10, 5)
        with tenant_transaction(tenant_id):
            made = Connection.objects.create(
                org_id=f"00D{tenant_id:015d}", instance_url="https://x.my.salesforce.com", api_version="62.0"
            )
            facts: dict[str, Any] = {"tenant": tenant_id, "connection": made.pk}
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 0")

                def run(sql: str, count: int, **more: Any) -> None:
                    cursor.execute(sql, {**facts, "count": count, **more})

                run(_COMPANIES, tenth)
                run(_PEOPLE, people)
                cursor.execute("SELECT min(id) - 1 FROM audience_person WHERE tenant_id = %s", [tenant_id])
                first = cursor.fetchone()[0]
                run(_OPPORTUNITIES, tenth)
                run(_LINKS, 0)
                run(_ERRORS, tenth)
                run(_RUNS, min(people, 20_000))
                big_run = SyncRun.objects.order_by("-queued_at").first()
                assert big_run is not None
                run(_ENTRIES, people, run=big_run.pk, first=first)
                run(_CHANGES, tenth // 2, first=first)
                run(_LISTS, min(people, 1_000))
                cursor.execute("SELECT min(id) FROM audience_list WHERE tenant_id = %s", [tenant_id])
                run(_MEMBERS, tenth, list=cursor.fetchone()[0], first=first)
            tree = {"field": "city", "type": "string", "operator": "equals", "values": ["Nowhere"]}
            save_filter(record_type="person", name="No index", tree=tree, user=None)

    def measure(self, samples: int, limit_ms: float) -> bool:
        """Ask every address, print what it took; True where one was too slow or asks more the more there is."""
        storages = {
            **settings.STORAGES,
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        }
        with override_settings(STORAGES=storages, ALLOWED_HOSTS=["*"], DEBUG=False):
            small, big = self._browser(self.small_user), self._browser(self.user)
            near, far = _addresses(self.smalls[0]), _addresses(self.big)
            print(f"{'page':<32} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8} {'queries':>8}")
            wrong = False
            for name, url in far.items():
                taken = self._ask(big, url, samples, self._queries(small, near[name]))
                times = f"{taken.p50:8.1f} {taken.p95:8.1f} {taken.cpu:8.1f}"
                mark = "!" if taken.is_wrong(limit_ms) else ""
                print(f"{name:<32} {times} {taken.queries:8d} {mark}", flush=True)
                wrong |= bool(mark)
        return wrong

    def _browser(self, user: User) -> Client:
        client = Client()
        with app_transaction():
            client.force_login(user)
        return client

    def _queries(self, client: Client, url: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            answer = client.get(url)
        if answer.status_code != 200:
            raise RuntimeError(f"{url} answers {answer.status_code}")
        return len(asked)

    def _ask(self, client: Client, url: str, samples: int, small: int) -> Taken:
        queries = self._queries(client, url)
        times, before = [], _cpu_ms()
        for _ in range(samples):
            began = time.perf_counter()
            client.get(url)
            times.append((time.perf_counter() - began) * 1000)
        cpu = (_cpu_ms() - before) / samples
        cuts = statistics.quantiles(times, n=20)
        return Taken(url, cuts[9], cuts[18], cpu, queries, small)


def _cpu_ms() -> float:
    """CPU time of this process and of its PostgreSQL backend: what is left of the time when nobody else works."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    backend = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return (time.process_time() + backend) * 1000


# -- what is asked --------------------------------------------------------------------------------------------


def _addresses(tenant_id: int) -> dict[str, str]:
    """What is asked: a name for each address, and the address in this tenant."""
    rows = _subjects(tenant_id)
    return {
        "overview": "/",
        **_people_addresses(rows),
        **_other_records_addresses(rows),
        **_salesforce_addresses(rows),
        "notices": "/notices/",
        "members": "/members/",
    }


@dataclass(frozen=True, slots=True)
class _Subjects:
    """The rows of a tenant that pages of one row are asked for: their ids."""

    person: int
    company: int
    deal: int
    listed: int
    error: int
    run: int
    saved: int


def _subjects(tenant_id: int) -> _Subjects:
    with tenant_transaction(tenant_id), connection.cursor() as cursor:

        def one(sql: str) -> int:
            cursor.execute(sql, [tenant_id])
            return int(cursor.fetchone()[0])

        return _Subjects(
            person=one("SELECT max(id) FROM audience_person WHERE tenant_id = %s AND leading_sobject = 'Lead'"),
            company=one("SELECT max(id) FROM audience_company WHERE tenant_id = %s"),
            deal=one("SELECT max(id) FROM audience_opportunity WHERE tenant_id = %s"),
            listed=one("SELECT min(id) FROM audience_list WHERE tenant_id = %s"),
            error=one("SELECT max(id) FROM sync_errors_syncerror WHERE tenant_id = %s AND state = 'open'"),
            run=one("SELECT run_id FROM sync_runentry WHERE tenant_id = %s LIMIT 1"),
            saved=one("SELECT max(id) FROM audience_savedfilter WHERE tenant_id = %s"),
        )


def _people_addresses(rows: _Subjects) -> dict[str, str]:
    people = "/people/"
    return {
        "people": people,
        "people, by name": f"{people}?sort=name",
        "people, linked": f"{people}?linked=yes",
        "people, contacts": f"{people}?object=Contact",
        "people, not linked": f"{people}?linked=no",
        "people, unsubscribed": f"{people}?consent=yes",
        "people, inactive": f"{people}?status=no",
        "people, from forms": f"{people}?source=form",
        "people, Salesforce import": f"{people}?source=salesforce",
        "people, a word": f"{people}?q=smith",
        "people, two words": f"{people}?{urlencode({'q': 'first5 smith'})}",
        "people, e-mail": f"{people}?q=person77@77.example",
        "people, no hit": f"{people}?q=zzzzzz",
        "people, filter without index": f"{people}?filter={rows.saved}",
        "person": f"{people}{rows.person}/",
        "person, why": f"{people}{rows.person}/why/",
        "person, edit": f"{people}{rows.person}/edit/",
    }


def _other_records_addresses(rows: _Subjects) -> dict[str, str]:
    companies = "/companies/"
    return {
        "companies": companies,
        "companies, newest": f"{companies}?sort=newest",
        "companies, search": f"{companies}?{urlencode({'q': 'company 9'})}",
        "companies, Salesforce import": f"{companies}?source=salesforce",
        "companies, not linked": f"{companies}?linked=no",
        "company": f"{companies}{rows.company}/",
        "opportunities": "/opportunities/",
        "opportunities, search": "/opportunities/?q=deal",
        "opportunity": f"/opportunities/{rows.deal}/",
        "lists": "/lists/",
        "list": f"/lists/{rows.listed}/",
    }


def _salesforce_addresses(rows: _Subjects) -> dict[str, str]:
    salesforce = "/integrations/salesforce/"
    errors, log = f"{salesforce}errors/", f"{salesforce}log/"
    return {
        "errors": errors,
        "errors, by record": f"{errors}?sort=record",
        "errors, oldest": f"{errors}?sort=oldest-seen",
        "errors, one category": f"{errors}?category=row_locked",
        "errors, resolved": f"{errors}?state=resolved",
        "errors, any": f"{errors}?state=every",
        "errors, search": f"{errors}?{urlencode({'q': 'Person 77'})}",
        "error": f"{errors}{rows.error}/",
        "log": log,
        "log, one run": f"{log}{rows.run}/",
        "log, rows": f"{log}{rows.run}/rows/",
        "log, rows of an action": f"{log}{rows.run}/rows/?action=updated",
        "log, merges": f"{log}merges/",
        "queue": f"{salesforce}queue/",
        "queue, held": f"{salesforce}queue/?state=held",
        "connection": salesforce,
        "settings": f"{salesforce}settings/",
    }
