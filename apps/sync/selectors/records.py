"""Records by local type and id, for pages that show records of several types together."""

from collections import defaultdict
from collections.abc import Iterable

from apps.audience.fields import kind_of
from apps.sync.local import MODELS


def record_names(named: Iterable[tuple[str, int | None]]) -> dict[tuple[str, int], str]:
    """Names of records by (local type, id): one question for each kind of record among them. Those that are gone are
    left out."""
    wanted: dict[str, dict[int, str]] = defaultdict(dict)
    for local_type, record_id in named:
        if record_id is not None and local_type in MODELS:
            wanted[kind_of(local_type)][record_id] = local_type
    return {
        (types[row.pk], row.pk): str(row)
        for kind, types in wanted.items()
        for row in MODELS[kind]._default_manager.filter(id__in=types)
    }
