"""Automation: what starts a rule, whether it applies, and where a chain of rules ends."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import InvalidOperation
from enum import StrEnum

from apps.domain.filters import Filter, Group, Rule, evaluate


class Trigger(StrEnum):
    """What starts a rule."""

    SYNCED = "synced"
    FORM_SUBMITTED = "form_submitted"
    LIST_JOINED = "list_joined"
    LIST_LEFT = "list_left"
    SCORE_REACHED = "score_reached"
    EMAIL_OPENED = "email_opened"
    EMAIL_CLICKED = "email_clicked"
    PAGE_VISITED = "page_visited"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    IMPORTED = "imported"
    CREATED_BY_API = "created_by_api"

    @property
    def label(self) -> str:
        return _TRIGGER_LABELS[self]


_TRIGGER_LABELS = {
    Trigger.SYNCED: "A lead or contact comes in from Salesforce",
    Trigger.FORM_SUBMITTED: "A form is submitted",
    Trigger.LIST_JOINED: "A person joins a list",
    Trigger.LIST_LEFT: "A person leaves a list",
    Trigger.SCORE_REACHED: "A score is reached",
    Trigger.EMAIL_OPENED: "An e-mail is opened",
    Trigger.EMAIL_CLICKED: "A link in an e-mail is clicked",
    Trigger.PAGE_VISITED: "A page is visited",
    Trigger.UNSUBSCRIBED: "A person unsubscribes",
    Trigger.BOUNCED: "An e-mail bounces",
    Trigger.IMPORTED: "A person is imported",
    Trigger.CREATED_BY_API: "A person is created by the API",
}


class RunsOn(StrEnum):
    """Which rows that come in start a rule."""

    CREATED = "created"
    UPDATED = "updated"
    BOTH = "both"

    def admits(self, event: str) -> bool:
        """Whether a row that was ``created`` or ``updated`` here starts the rule."""
        return self is RunsOn.BOTH or self.value == event


# -- conditions -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """A comparison, what the record has, and whether it holds; or a group with its parts."""

    tree: Filter
    holds: bool
    value: str = ""
    depth: int = 0

    @property
    def is_group(self) -> bool:
        return isinstance(self.tree, Group)


def applies(tree: Filter | None, values: Mapping[str, str]) -> bool:
    """Whether the conditions hold; a value that is no number where one is compared does not."""
    if tree is None:
        return True
    try:
        return evaluate(tree, values)
    except InvalidOperation:
        return all(one.holds for one in explain(tree, values) if one.depth == 0)


def explain(tree: Filter | None, values: Mapping[str, str], depth: int = 0) -> Iterator[Checked]:
    """Each condition with its outcome, groups before their parts."""
    if tree is None:
        return
    if isinstance(tree, Rule):
        yield Checked(tree, _holds(tree, values), values.get(tree.field, ""), depth)
        return
    parts = [list(explain(part, values, depth + 1)) for part in tree.parts]
    outcomes = [part[0].holds for part in parts if part]
    holds = not outcomes or (all(outcomes) if tree.all_of else any(outcomes))
    yield Checked(tree, holds, "", depth)
    for part in parts:
        yield from part


def _holds(rule: Rule, values: Mapping[str, str]) -> bool:
    try:
        return evaluate(rule, values)
    except InvalidOperation:
        return False


# -- loops ----------------------------------------------------------------------------------------------------

DEEPEST_CHAIN = 5
"""Rules that may start one another before the chain is cut."""
MOST_IN_AN_HOUR = 5
"""Runs of one rule on one record within an hour, started by syncs, before it is taken for a loop through the org."""


class Cut(StrEnum):
    """Why a rule was not run though its trigger came."""

    ITSELF = "itself"
    DEPTH = "depth"
    CIRCLES = "circles"
    ECHO = "echo"

    @property
    def words(self) -> str:
        return _CUT_WORDS[self]


_CUT_WORDS = {
    Cut.ITSELF: "Not run: the rule itself had caused this.",
    Cut.DEPTH: f"Not run: {DEEPEST_CHAIN} rules had started one another already, and a chain ends there.",
    Cut.CIRCLES: f"Not run: it had changed this record {MOST_IN_AN_HOUR} times within an hour. Something in Salesforce "
    "seems to change it back each time.",
    Cut.ECHO: "Not run: what came in is what the rule itself had written to Salesforce.",
}


def cut(
    rule_id: int,
    chain: Sequence[int],
    *,
    recent_runs: int = 0,
    came_in: Mapping[str, str] | None = None,
    written: Collection[Mapping[str, str]] = (),
) -> Cut | None:
    """Why a rule must not run; None: it may. ``chain`` are the rules that led here, ``came_in`` what a sync has
    brought by remote field, and ``written`` what the rule has written there."""
    if rule_id in chain:
        return Cut.ITSELF
    if len(chain) >= DEEPEST_CHAIN:
        return Cut.DEPTH
    if came_in and any(_covers(one, came_in) for one in written):
        return Cut.ECHO
    return Cut.CIRCLES if recent_runs >= MOST_IN_AN_HOUR else None


def _covers(written: Mapping[str, str], came_in: Mapping[str, str]) -> bool:
    return all(written.get(name) == text for name, text in came_in.items())


# -- lead or contact (E09) ------------------------------------------------------------------------------------


def sobject_for(wanted: str, *, has_account: bool) -> str:
    """What a person who is not in Salesforce becomes there: what the rule says; left to us, a Contact where their
    company is an Account, else a Lead."""
    if wanted in {"Lead", "Contact"}:
        return wanted
    return "Contact" if has_account else "Lead"
