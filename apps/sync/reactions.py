"""React: what a batch has made or changed here is shown to the rules that watch for it."""

from apps.sync.drafts import Context, RecordDraft
from apps.sync.judging import Judge
from apps.sync_actions.queue import RowEvent, note_rows, watchers

_FLAGS = frozenset({"email_opt_out", "is_active"})


def call_rules_for(context: Context, judge: Judge) -> None:
    """Write down, in the open transaction, which people were made or changed; where no rule watches, nothing."""
    drafts = [draft for draft in judge.desk.records.values() if _is_news(draft)]
    if not drafts and not judge.desk.new_records:
        return
    watching = watchers(context.sobject)
    if not watching:
        return
    spared = {
        id(judged.link.record)
        for judged in judge.judged.values()
        if judged.step is not None and judged.step.excludes_updates
    }
    events = [_event(context, draft) for draft in judge.desk.new_records]
    events += [_event(context, draft) for draft in drafts if id(draft) not in spared]
    note_rows(
        events,
        watching,
        sobject=context.sobject,
        run_id=context.run_id,
        is_backfill=context.is_backfill,
        at=context.now,
    )


def _is_news(draft: RecordDraft) -> bool:
    return draft.row.is_active and bool(draft.changes or _FLAGS & draft.flags.keys())


def _event(context: Context, draft: RecordDraft) -> RowEvent:
    remote = {rule.local_field: rule for step in reversed(context.steps) for rule in step.rules}
    came_in = {
        remote[name].remote_field: remote[name].outward(text) for name, text in draft.changes.items() if name in remote
    }
    link = next((link for link in draft.links if link.row.sobject == context.sobject), None)
    return RowEvent(
        person_id=draft.row.pk,
        is_new=draft.is_new,
        version=draft.row.version,
        remote_id=link.row.remote_id if link is not None else "",
        came_in={} if draft.is_new else came_in,
    )
