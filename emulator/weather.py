"""Verbs for what an org, its people and the network do to a client; a part of ``EmulatorControl``."""

from abc import abstractmethod
from typing import Any


class Weather:
    """Good and bad days, each verb one thing."""

    @abstractmethod
    def _call(self, method: str, path: str, data: Any = None) -> Any:
        """Ask the control API."""

    def _options(self, org_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._call("GET", f"orgs/{org_id}")["options"]
        return found

    def _change(self, org_id: str, **options: Any) -> None:
        self._call("PATCH", f"orgs/{org_id}", options)

    # -- time -----------------------------------------------------------------------------------------------------

    def shift_clock(self, org_id: str, by: float) -> str:
        """Move the org's clock by seconds; answers its time."""
        return str(self._call("POST", f"orgs/{org_id}/clock", {"by": by})["now"])

    def stop_clock(self, org_id: str, at: str) -> str:
        """The org's clock stands at a time (``2026-11-24T10:00:00Z``) and moves by ``shift_clock`` only."""
        return str(self._call("POST", f"orgs/{org_id}/clock", {"at": at})["now"])

    def org_time(self, org_id: str) -> str:
        """The org's clock."""
        return str(self._call("POST", f"orgs/{org_id}/clock", {})["now"])

    def commit_late(self, org_id: str, seconds: float, verb: str, **facts: Any) -> dict[str, Any]:
        """A change that becomes visible now with a SystemModstamp some seconds old, as a long transaction makes it."""
        done: dict[str, Any] = self._call("POST", f"orgs/{org_id}/{verb}", {**facts, "late": seconds})
        return done

    # -- what the org does to values --------------------------------------------------------------------------------

    def add_trigger(self, org_id: str, sobject: str, field: str, do: str, **facts: Any) -> None:
        """Rewrite a field on every write: ``upper``, ``trim``, ``round``, ``cut``, ``set``, or ``flip`` for ever."""
        self._add(org_id, "triggers", {"sobject": sobject, "field": field, "do": do, **facts})

    def add_validation_rule(self, org_id: str, sobject: str, field: str, pattern: str, message: str) -> None:
        """Refuse rows whose field matches a pattern."""
        rule = {"sobject": sobject, "field": field, "pattern": pattern, "message": message, "fields": [field]}
        self._add(org_id, "validation_rules", rule)

    def add_duplicate_rule(self, org_id: str, sobject: str, *fields: str, block: bool = False) -> None:
        """Refuse new rows that equal another in these fields; unless it blocks, allowSave passes."""
        self._add(org_id, "duplicate_rules", {"sobject": sobject, "fields": list(fields), "allow_save": not block})

    def _add(self, org_id: str, option: str, entry: dict[str, Any]) -> None:
        self._change(org_id, **{option: [*self._options(org_id)[option], entry]})

    def clear_rules(self, org_id: str) -> None:
        """No triggers, validation rules and duplicate rules any more."""
        self._change(org_id, triggers=[], validation_rules=[], duplicate_rules=[])

    def change_field(self, org_id: str, field: str, **facts: Any) -> None:
        """Alter ``Lead.Title``: ``type``, ``length``, ``values``, ``restricted``, ``required``, ``unique``."""
        self._change(org_id, field_changes={**self._options(org_id)["field_changes"], field: facts})

    # -- rights -----------------------------------------------------------------------------------------------------

    def refuse_components(self, org_id: str, *errors: dict[str, str]) -> None:
        """Deployments fail with these: ``{"name": "Lead.X__c", "type": "CustomField", "problem": "…"}``."""
        self._change(org_id, deploy_errors=list(errors))

    def forbid_deploying(self, org_id: str) -> None:
        """The API user may not change metadata."""
        self._change(org_id, forbid_deploy=True)

    def hide(self, org_id: str, *fields: str) -> None:
        """Hide exactly these fields ("Lead.Email") or objects ("Campaign") from the API user."""
        self._call("POST", f"orgs/{org_id}/hide", {"fields": list(fields)})

    def protect(self, org_id: str, *fields: str) -> None:
        """Make exactly these fields ("Lead.Email") read-only for the API user; describe tells so."""
        self._change(org_id, read_only=list(fields))

    def hide_rows(self, org_id: str, *ids: str, visible: bool = False) -> None:
        """Take rows out of the API user's sight, or give them back."""
        self._call("POST", f"orgs/{org_id}/invisible", {"ids": list(ids), "visible": visible})

    def lock_rows(self, org_id: str, *ids: str, times: int = 1, code: str = "UNABLE_TO_LOCK_ROW") -> None:
        """Refuse the next writes of these rows."""
        self._call("POST", f"orgs/{org_id}/lock", {"ids": list(ids), "times": times, "code": code})

    # -- limits and availability ------------------------------------------------------------------------------------

    def set_usage(self, org_id: str, **numbers: int) -> dict[str, int]:
        """``used`` and ``limit`` of the daily API calls; at the limit calls are refused."""
        found: dict[str, int] = self._call("POST", f"orgs/{org_id}/usage", numbers)
        return found

    def limit_concurrency(self, org_id: str, calls: int) -> None:
        """Refuse calls beyond so many at once."""
        self._change(org_id, concurrent_limit=calls)

    def slow_beyond(self, org_id: str, rows: int | None) -> None:
        """Answer QUERY_TIMEOUT to REST queries that meet more rows, whatever their LIMIT; None ends it."""
        self._change(org_id, slow_beyond=rows)

    def maintenance(self, org_id: str, mode: str) -> None:
        """``read_only`` refuses writes and Bulk jobs, ``down`` refuses everything, an empty text ends it."""
        self._change(org_id, maintenance=mode)

    def busy(self, path: str, *, seconds: int, times: int = 1) -> None:
        """Answer 503 with Retry-After to the next calls."""
        body = [{"message": "server too busy", "errorCode": "SERVER_UNAVAILABLE"}]
        self.fault(path, status=503, body=body, headers={"Retry-After": str(seconds)}, times=times)

    def html(self, path: str, *, status: int = 200, times: int = 1) -> None:
        """Answer with a page for people, as a proxy or a maintenance notice does."""
        page = "<!doctype html><html><body><h1>We'll be back soon</h1></body></html>"
        self.fault(path, status=status, body=page, type="text/html;charset=UTF-8", times=times)

    def fault(self, path: str, **what: Any) -> None:
        """Script a fault for calls whose path matches (docs/emulator.md lists what it can do)."""
        self._call("POST", "faults", {"path": path, **what})

    def clear_faults(self) -> None:
        """Fair weather."""
        self._call("DELETE", "faults")

    # -- the network --------------------------------------------------------------------------------------------------

    def drop(self, path: str, *, after_commit: bool, **which: Any) -> None:
        """Close the connection: before the call is done, or after, so that only the reply is lost."""
        self.fault(path, drop="after" if after_commit else "before", **which)

    def truncate(self, path: str, at: int, **which: Any) -> None:
        """End the body at a byte."""
        self.fault(path, truncate=at, **which)

    def drip(self, path: str, seconds: float, **which: Any) -> None:
        """Send the body byte by byte."""
        self.fault(path, drip=seconds, **which)

    def before(self, path: str, *acts: dict[str, Any], **which: Any) -> None:
        """Let people act at the last moment before a call is answered: ``{"org": id, "verb": "update", …}``."""
        self.fault(path, first=list(acts), **which)

    def after(self, path: str, *acts: dict[str, Any], **which: Any) -> None:
        """Let people act between a call's work and its reply."""
        self.fault(path, then=list(acts), **which)

    # -- tokens ---------------------------------------------------------------------------------------------------

    def expire_tokens(self, *, revoke: bool = False, org_id: str | None = None) -> None:
        """End all sessions; with ``revoke`` the approvals too."""
        self._call("POST", "tokens", {"expire": True, "revoke": revoke} | ({"org": org_id} if org_id else {}))

    def expire_on(self, path: str, **which: Any) -> None:
        """End all sessions just before a call."""
        self.fault(path, expire_tokens=True, **which)

    def rotate_tokens(self, *, on: bool) -> None:
        """Switch refresh token rotation of all apps."""
        self._call("POST", "tokens", {"rotate": on})

    def refuse_tokens(self, org_id: str, description: str, *, error: str = "invalid_grant") -> None:
        """Refuse every token of the org with these words; no words end it."""
        refusal = {"error": error, "error_description": description} if description else None
        self._change(org_id, token_error=refusal)

    # -- cursors and jobs -------------------------------------------------------------------------------------------

    def expire_cursors(self, org_id: str) -> None:
        """No query locator of the org is known any more."""
        self._call("POST", f"orgs/{org_id}/cursors", {})

    def doom_jobs(self, org_id: str, kind: str, what: str, *, times: int = 1, after_rows: int = 0) -> None:
        """Let the next ``query`` or ``ingest`` jobs ``stall`` for ever, ``fail`` or ``abort``."""
        facts = {"kind": kind, "what": what, "times": times, "after_rows": after_rows}
        self._call("POST", f"orgs/{org_id}/doom", facts)

    def end_job(self, org_id: str, job_id: str, state: str) -> None:
        """Make a job ``Failed`` or ``Aborted``, or ``gone`` with its results."""
        self._call("POST", f"orgs/{org_id}/job", {"id": job_id, "state": state})
