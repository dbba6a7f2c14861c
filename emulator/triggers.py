"""What automation of an org does to values on their way in."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from emulator.org import Org
from emulator.schema import SObject
from emulator.values import Stored


def rewrite(org: Org, sobject: SObject, stored: dict[str, Stored]) -> None:
    """Run the org's triggers over the values of a write.

    ``upper``, ``trim`` (blanks inside too), ``round`` (``digits``), ``cut`` (``length``), ``set`` (``value``, with
    ``always`` also where the field is not written) and ``flip`` (the first of ``values`` that was not written).
    """
    for trigger in org.options["triggers"]:
        name = trigger["field"]
        if trigger["sobject"] != sobject.name or not (name in stored or trigger.get("always")):
            continue
        stored[name] = _changed(trigger, stored.get(name))


def _changed(trigger: dict[str, Any], value: Stored) -> Stored:
    do = trigger["do"]
    if do == "set":
        known: Stored = trigger.get("value")
        return known
    if do == "flip":
        return next((other for other in trigger["values"] if other != value), value)
    if do == "round":
        step = Decimal(1).scaleb(-int(trigger.get("digits", 0)))
        return float(Decimal(str(value)).quantize(step, ROUND_HALF_UP)) if isinstance(value, float) else value
    if not isinstance(value, str):
        return value
    if do == "cut":
        return value[: int(trigger["length"])]
    return value.upper() if do == "upper" else " ".join(value.split())
