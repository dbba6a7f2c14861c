"""How a connection stands with its API budget (B14), and what its health says of it."""

from datetime import datetime

from apps.domain.budget import COUNTED_FOR, HourCalls, Level, Limit, OrgUse, Standing, standing
from apps.integrations.health import Proof, delayed, healthy, paused
from apps.integrations.models import ApiUsage, Connection, Health, HealthCause
from apps.sync_settings.models import SyncSettings


def standing_of(connection: Connection, settings: SyncSettings, *, now: datetime) -> Standing:
    """How the connection stands now: one question of at most 26 rows, in the open transaction. The org's numbers and
    whether it refuses calls are read from ``connection``, so give it freshly loaded."""
    rows = ApiUsage.objects.filter(connection=connection, hour__gt=now - COUNTED_FOR).values_list("hour", "calls")
    org = OrgUse(
        used=connection.api_used,
        allowed=connection.api_allowed,
        seen_at=connection.api_seen_at,
        is_refusing=connection.health_cause == HealthCause.ORG_LIMIT,
        next_probe_at=connection.probe_due_at,
    )
    hours = [HourCalls(hour, calls) for hour, calls in rows]
    return standing(hours, share_percent=settings.api_share_percent, org=org, now=now)


def note_standing(*, connection: Connection, standing: Standing) -> None:
    """Make the connection's health say what its standing is, in the open transaction; cheap where it does already."""
    if standing.level < Level.ESSENTIAL_ONLY:
        if connection.health_cause in {HealthCause.ORG_LIMIT, HealthCause.SHARE}:
            healthy(connection_id=connection.pk, proof=Proof.BUDGET)
        return
    cause = HealthCause.ORG_LIMIT if standing.limit is Limit.ORG else HealthCause.SHARE
    state = Health.PAUSED if standing.level is Level.PAUSED else Health.DELAYED
    if (connection.health, connection.health_cause, connection.resumes_at) == (state, cause, standing.resumes_at):
        return
    tell = paused if state is Health.PAUSED else delayed
    tell(connection_id=connection.pk, reason=words_of(standing), resumes_at=standing.resumes_at, cause=cause)


def words_of(standing: Standing) -> str:
    """The standing in a sentence; empty where there is nothing to say."""
    if standing.level is Level.PAUSED and standing.limit is Limit.ORG:
        return "Your org has used up the API calls that Salesforce allows it in 24 hours."
    if standing.level is Level.PAUSED:
        return "Syncline has used up its share of your org's API calls of the last 24 hours."
    if standing.level is Level.ESSENTIAL_ONLY:
        return "Syncline has used nearly all of its share: only single records and opt-outs are synced."
    if standing.level is Level.WARNED:
        return f"Syncline has used {standing.percent} % of its share."
    return ""
