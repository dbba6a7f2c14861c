"""What a rule can do: every action with what it is told, as forms show it and rules keep it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Needs(StrEnum):
    """What an action is told, and so how its form asks for it."""

    TEXT = "text"
    TEMPLATE = "template"
    LONG_TEMPLATE = "long_template"
    LINES = "lines"
    WHOLE = "whole"
    LIST = "list"
    SEQUENCE = "sequence"
    FIELD = "field"
    TEXT_FIELD = "text_field"
    DATE_FIELD = "date_field"
    DATE_START = "date_start"
    MEMBER = "member"
    ENDPOINT = "endpoint"
    URL = "url"
    CHOICE = "choice"
    CAMPAIGN = "campaign"
    MEMBER_STATUS = "member_status"
    USER = "user"
    CASE_OWNER = "case_owner"
    CASE_PRIORITY = "case_priority"
    TASK_PRIORITY = "task_priority"
    TASK_STATUS = "task_status"
    OWNER = "owner"
    STAGE = "stage"
    REMOTE_FIELD = "remote_field"
    REMOTE_VALUES = "remote_values"


@dataclass(frozen=True, slots=True)
class Param:
    """One thing that an action is told."""

    name: str
    label: str
    needs: Needs
    is_required: bool = True
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    default: str = ""
    longest: int = 255


class ActionKind(StrEnum):
    """What a rule can do."""

    ADD_TO_LIST = "add_to_list"
    REMOVE_FROM_LIST = "remove_from_list"
    ENROL = "enrol"
    MOVE_TO_SEQUENCE = "move_to_sequence"
    SET_FIELD = "set_field"
    CHANGE_CASE = "change_case"
    TRIM = "trim"
    REPLACE = "replace"
    MAP_VALUE = "map_value"
    SET_DATE = "set_date"
    CHANGE_SCORE = "change_score"
    UNSUBSCRIBE = "unsubscribe"
    NOTIFY = "notify"
    WEBHOOK = "webhook"
    CRM_PERSON = "crm_person"
    CRM_ACCOUNT = "crm_account"
    CRM_OPPORTUNITY = "crm_opportunity"
    CRM_ADD_TO_CAMPAIGN = "crm_add_to_campaign"
    CRM_MEMBER_STATUS = "crm_member_status"
    CRM_REMOVE_FROM_CAMPAIGN = "crm_remove_from_campaign"
    CRM_TASK = "crm_task"
    CRM_CASE = "crm_case"
    CRM_OWNER = "crm_owner"
    CRM_SET_FIELD = "crm_set_field"

    @property
    def is_command(self) -> bool:
        """Whether it is carried out in Salesforce."""
        return self.value.startswith("crm_")


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """An action as people choose it. ``words`` is its sentence, with ``{param}`` where a value is named."""

    kind: ActionKind
    label: str
    words: str
    params: tuple[Param, ...] = ()
    help: str = ""


_CASES = (
    ("title", "Capital First Letters"),
    ("upper", "ALL CAPITALS"),
    ("lower", "all small"),
    ("sentence", "First letter"),
)
_UNITS = (
    ("days", "days"),
    ("working_days", "working days"),
    ("weeks", "weeks"),
    ("months", "months"),
    ("years", "years"),
)
_FIELDS_HELP = "Put fields in braces: {first_name}, or {first_name|there} for people without one."
_SUBJECT = Param("subject", "Subject", Needs.TEMPLATE, help=_FIELDS_HELP)
_DESCRIPTION = Param("description", "Description", Needs.LONG_TEMPLATE, is_required=False, longest=4000)
_CAMPAIGN = Param("campaign", "Campaign", Needs.CAMPAIGN)

_SPECS = (
    ActionSpec(ActionKind.ADD_TO_LIST, "Add to a list", "Add to the list {list}", (Param("list", "List", Needs.LIST),)),
    ActionSpec(
        ActionKind.REMOVE_FROM_LIST,
        "Remove from a list",
        "Remove from the list {list}",
        (Param("list", "List", Needs.LIST),),
    ),
    ActionSpec(
        ActionKind.ENROL,
        "Enrol in a sequence",
        "Enrol in the sequence {sequence}",
        (Param("sequence", "Sequence", Needs.SEQUENCE),),
    ),
    ActionSpec(
        ActionKind.MOVE_TO_SEQUENCE,
        "Move to a sequence",
        "Take out of every other sequence and enrol in {sequence}",
        (Param("sequence", "Sequence", Needs.SEQUENCE),),
        help="Ends every sequence that the person is in, then enrols them in this one.",
    ),
    ActionSpec(
        ActionKind.SET_FIELD,
        "Set a field",
        "Set {field} to “{text}”",
        (
            Param("field", "Field", Needs.FIELD),
            Param(
                "text", "New value", Needs.TEMPLATE, is_required=False, help=f"{_FIELDS_HELP} Empty clears the field."
            ),
        ),
    ),
    ActionSpec(
        ActionKind.CHANGE_CASE,
        "Change capital letters",
        "Write {field} with {case}",
        (Param("field", "Field", Needs.TEXT_FIELD), Param("case", "Letters", Needs.CHOICE, choices=_CASES)),
    ),
    ActionSpec(
        ActionKind.TRIM,
        "Trim blanks",
        "Trim blanks of {field}",
        (Param("field", "Field", Needs.TEXT_FIELD),),
        help="Removes blanks at both ends, and all but one in between.",
    ),
    ActionSpec(
        ActionKind.REPLACE,
        "Replace text",
        "In {field}, replace “{find}” by “{by}”",
        (
            Param("field", "Field", Needs.TEXT_FIELD),
            Param("find", "Find", Needs.TEXT),
            Param("by", "Replace by", Needs.TEXT, is_required=False, help="Empty removes what is found."),
        ),
    ),
    ActionSpec(
        ActionKind.MAP_VALUE,
        "Translate values",
        "Translate the values of {field}",
        (
            Param("field", "Field", Needs.TEXT_FIELD),
            Param(
                "pairs",
                "Values",
                Needs.LINES,
                help="One a line: old = new. “*” on the left stands for every other value.",
                longest=8000,
            ),
        ),
    ),
    ActionSpec(
        ActionKind.SET_DATE,
        "Set a date",
        "Set {field} to {amount} {unit} after {start}",
        (
            Param("field", "Field", Needs.DATE_FIELD),
            Param("start", "Counted from", Needs.DATE_START, default="today"),
            Param("amount", "How many", Needs.WHOLE, help="A negative number goes back in time.", default="7"),
            Param("unit", "Unit", Needs.CHOICE, choices=_UNITS),
        ),
    ),
    ActionSpec(
        ActionKind.CHANGE_SCORE,
        "Change the score",
        "Change the score: {how} {amount}",
        (
            Param("how", "How", Needs.CHOICE, choices=(("by", "add"), ("to", "set to"))),
            Param("amount", "Points", Needs.WHOLE, help="A negative number takes points away.", default="10"),
        ),
    ),
    ActionSpec(
        ActionKind.UNSUBSCRIBE,
        "Unsubscribe",
        "Unsubscribe from e-mail",
        help="Only the person's own wish subscribes them again. Salesforce is told.",
    ),
    ActionSpec(
        ActionKind.NOTIFY,
        "Notify a member",
        "Notify {member}",
        (
            Param("member", "Member", Needs.MEMBER),
            Param(
                "text", "Message", Needs.TEMPLATE, help=_FIELDS_HELP, default="Have a look at {first_name} {last_name}."
            ),
        ),
    ),
    ActionSpec(
        ActionKind.WEBHOOK,
        "Call a webhook",
        "Call the webhook {endpoint}",
        (Param("endpoint", "Webhook", Needs.ENDPOINT),),
    ),
    ActionSpec(
        ActionKind.CRM_PERSON,
        "Create or update the lead or contact",
        "Create or update the {as}",
        (
            Param(
                "as",
                "New ones become",
                Needs.CHOICE,
                choices=(
                    ("auto", "Contact if the company is an account, else lead"),
                    ("Lead", "Lead"),
                    ("Contact", "Contact"),
                ),
                help="Whoever Salesforce has already is found by e-mail and updated, never made twice.",
            ),
            Param(
                "values",
                "Further values",
                Needs.REMOTE_VALUES,
                is_required=False,
                help="One a line: Salesforce field = value. Mapped fields are sent by themselves. " + _FIELDS_HELP,
                longest=8000,
            ),
        ),
    ),
    ActionSpec(
        ActionKind.CRM_ACCOUNT,
        "Create or update the account",
        "Create or update the account of the person's company",
        (
            Param(
                "values",
                "Further values",
                Needs.REMOTE_VALUES,
                is_required=False,
                help="One a line: Salesforce field = value. The name and website come from the company.",
                longest=8000,
            ),
        ),
        help="Found by its website or name; a new one gets the Default Account Name where the company has none.",
    ),
    ActionSpec(
        ActionKind.CRM_OPPORTUNITY,
        "Create or update an opportunity",
        "Create or update the opportunity “{name}”",
        (
            Param("name", "Name", Needs.TEMPLATE, help=_FIELDS_HELP, longest=120),
            Param("stage", "Stage", Needs.STAGE),
            Param("days", "Closes in days", Needs.WHOLE, default="30"),
            Param("amount", "Amount", Needs.TEMPLATE, is_required=False),
        ),
        help="One that is open and has this name at the same account is updated.",
    ),
    ActionSpec(
        ActionKind.CRM_ADD_TO_CAMPAIGN,
        "Add to a Campaign",
        "Add to the Campaign {campaign}",
        (
            _CAMPAIGN,
            Param(
                "status", "Member status", Needs.MEMBER_STATUS, is_required=False, help="Empty: the Campaign's default."
            ),
        ),
        help="Who is a member already keeps their status.",
    ),
    ActionSpec(
        ActionKind.CRM_MEMBER_STATUS,
        "Change the member status",
        "Change the member status in {campaign} to {status}",
        (_CAMPAIGN, Param("status", "Member status", Needs.MEMBER_STATUS)),
        help="Whoever is no member yet is left alone.",
    ),
    ActionSpec(
        ActionKind.CRM_REMOVE_FROM_CAMPAIGN,
        "Remove from a Campaign",
        "Remove from the Campaign {campaign}",
        (_CAMPAIGN,),
    ),
    ActionSpec(
        ActionKind.CRM_TASK,
        "Create a task",
        "Create the task “{subject}”",
        (
            _SUBJECT,
            Param("days", "Due in days", Needs.WHOLE, default="1"),
            Param("priority", "Priority", Needs.TASK_PRIORITY, is_required=False),
            Param("status", "Status", Needs.TASK_STATUS, is_required=False),
            Param(
                "owner", "Assigned to", Needs.USER, is_required=False, help="Empty: the owner of the lead or contact."
            ),
            _DESCRIPTION,
        ),
    ),
    ActionSpec(
        ActionKind.CRM_CASE,
        "Create a case",
        "Create the case “{subject}”",
        (
            _SUBJECT,
            Param("queue", "Queue or user", Needs.CASE_OWNER, is_required=False, help="Empty: the sync user."),
            Param("priority", "Priority", Needs.CASE_PRIORITY, is_required=False),
            _DESCRIPTION,
        ),
    ),
    ActionSpec(
        ActionKind.CRM_OWNER,
        "Assign an owner",
        "Assign to {owner}",
        (Param("owner", "User, queue or assignment rule", Needs.OWNER),),
        help="Contacts belong to users; leads to users or queues. Assignment rules are for leads.",
    ),
    ActionSpec(
        ActionKind.CRM_SET_FIELD,
        "Set a field in Salesforce",
        "Set {field} in Salesforce to “{text}”",
        (
            Param("field", "Salesforce field", Needs.REMOTE_FIELD),
            Param(
                "text", "New value", Needs.TEMPLATE, is_required=False, help=f"{_FIELDS_HELP} Empty clears the field."
            ),
        ),
        help="On the person's lead or contact, whatever the mappings say.",
    ),
)
ACTIONS: dict[ActionKind, ActionSpec] = {spec.kind: spec for spec in _SPECS}
MOST_ACTIONS = 20


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a rule."""

    kind: ActionKind
    values: Mapping[str, str]

    @property
    def spec(self) -> ActionSpec:
        return ACTIONS[self.kind]

    def get(self, name: str) -> str:
        """What the action is told; "" where nothing is."""
        return self.values.get(name, "")

    def to_dict(self) -> dict[str, object]:
        """Plain data for storage."""
        return {"kind": self.kind.value, "values": dict(self.values)}


def actions_of(stored: Sequence[Mapping[str, object]]) -> list[Action]:
    """Actions from plain data; one that this release does not know is left out."""
    found = []
    for one in stored:
        values = one.get("values")
        if one.get("kind") in set(ActionKind) and isinstance(values, Mapping):
            found.append(Action(ActionKind(str(one["kind"])), {str(k): str(v) for k, v in values.items()}))
    return found
