"""Rules, what waits for them, what they did, and their commands for Salesforce."""

from apps.sync_actions.models.commands import COMMAND_WAY, CommandState, CrmAction
from apps.sync_actions.models.reactions import Reaction, ReactionState, RulesDue
from apps.sync_actions.models.rules import Rule
from apps.sync_actions.models.runs import RuleOutcome, RuleRun

__all__ = [
    "COMMAND_WAY",
    "CommandState",
    "CrmAction",
    "Reaction",
    "ReactionState",
    "Rule",
    "RuleOutcome",
    "RuleRun",
    "RulesDue",
]
