"""Actions of rules that wait for Salesforce, as the queue's page shows them."""

from dataclasses import dataclass

from apps.console.listing import number_words
from apps.console.queue.forms import STATE_WORDS
from apps.core.paging import count_up_to
from apps.domain.actions import Action, ActionKind
from apps.integrations.services.oauth import live_connection
from apps.sync_actions.choices import Choices
from apps.sync_actions.models import CommandState, CrmAction

_SHOWN = 50
_TONES: dict[str, str] = {CommandState.WAITING: "busy", CommandState.IN_FLIGHT: "ok", CommandState.HELD: "warn"}


@dataclass(frozen=True, slots=True)
class CommandView:
    """A rule's action on its way: what it is to do, where it stands and why."""

    command: CrmAction
    words: str
    state: str
    tone: str

    @property
    def is_on_its_way(self) -> bool:
        return self.command.state == CommandState.IN_FLIGHT


@dataclass(frozen=True, slots=True)
class Commands:
    """The first of them, and how many there are."""

    rows: list[CommandView]
    count: str


def command_views() -> Commands:
    """Actions that are not settled, the oldest first."""
    unsettled = CrmAction.objects.filter(state__in=list(_TONES))
    choices = Choices(live_connection())
    rows = [
        CommandView(one, _sentence(one, choices), STATE_WORDS.get(one.state, one.state), _TONES[one.state])
        for one in unsettled.order_by("id")[:_SHOWN]
    ]
    return Commands(rows, number_words(*count_up_to(unsettled)))


def _sentence(command: CrmAction, choices: Choices) -> str:
    if command.action not in set(ActionKind):
        return command.action
    return choices.sentence(Action(ActionKind(command.action), {k: str(v) for k, v in command.values.items()}))
