"""Reading what rules did."""

from dataclasses import dataclass

from django.db.models import Count

from apps.sync_actions.models import Rule, RuleOutcome, RuleRun

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often one rule acted because of one sync; ``is_there``: it has not been deleted."""

    rule_id: int
    name: str
    done: int
    failed: int
    cut: int
    is_there: bool


def rules_of_run(run_id: int) -> list[RuleCount]:
    """What rules did with the rows of one sync, counted no further than ten thousand."""
    first = RuleRun.objects.filter(run_id=run_id).order_by("id").values("id")[:_MOST]
    rows = RuleRun.objects.filter(id__in=first).values("rule_id", "rule_name", "outcome").annotate(count=Count("id"))
    counts: dict[int, dict[str, int]] = {}
    names: dict[int, str] = {}
    for row in rows.order_by("rule_id"):
        counts.setdefault(row["rule_id"], {})[row["outcome"]] = row["count"]
        names[row["rule_id"]] = row["rule_name"]
    present = set(Rule.objects.filter(id__in=counts).values_list("id", flat=True))
    return [
        RuleCount(
            rule_id,
            names[rule_id],
            found.get(RuleOutcome.DONE, 0),
            found.get(RuleOutcome.FAILED, 0),
            found.get(RuleOutcome.CUT, 0),
            rule_id in present,
        )
        for rule_id, found in counts.items()
    ]
