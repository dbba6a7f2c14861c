"""Every address of the project, and what each role is answered there. An address that is added must stand here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.api import addresses as api

ROLES = ("anonymous", "viewer", "marketer", "admin", "owner")

# What comes back to anonymous, viewer, marketer, admin, owner.
EVERYBODY = "200 200 200 200 200"
MEMBERS = "302 200 200 200 200"
MEMBERS_ON = "302 302 302 302 302"
WORKERS = "302 403 200 200 200"
WORKERS_ON = "302 403 302 302 302"
ADMINS = "302 403 403 200 200"
ADMINS_ON = "302 403 403 302 302"
NEVER = "405 405 405 405 405"
NO_KEY = "401 401 401 401 401"
NO_TOKEN = "401 401 401 401 401"
NOTHING_THERE = "302 404 404 404 404"


@dataclass(frozen=True)
class Answers:
    """The statuses an address answers with. 302 leads a stranger to the log-in page and a member onward; ``about``
    names the records in the address, ``form`` what is posted."""

    get: str = NEVER
    post: str = NEVER
    about: Sequence[str] = ()
    form: Mapping[str, str] = field(default_factory=dict)

    def to(self, role: str, method: str) -> int:
        return int((self.get if method == "get" else self.post).split()[ROLES.index(role)])


TABLE: dict[str, Answers] = {
    # Pages that show; most of them answer a POST as if it were a GET, and change nothing.
    "console:overview": Answers(MEMBERS),
    "console:overview-live": Answers("302 204 204 204 204"),
    "console:open-errors": Answers(MEMBERS),
    "console:hub": Answers(MEMBERS, MEMBERS),
    "console:people-list": Answers(MEMBERS, MEMBERS),
    "console:people-detail": Answers(MEMBERS, MEMBERS, ["person"]),
    "console:companies-list": Answers(MEMBERS, MEMBERS),
    "console:companies-detail": Answers(MEMBERS, MEMBERS, ["company"]),
    "console:opportunities-list": Answers(MEMBERS, MEMBERS),
    "console:opportunities-detail": Answers(MEMBERS, MEMBERS, ["opportunity"]),
    "console:lists-list": Answers(MEMBERS, MEMBERS),
    "console:records-list": Answers(MEMBERS, about=["type"]),
    "console:records-detail": Answers(MEMBERS, about=["type", "record"]),
    "console:records-open": Answers(MEMBERS_ON, about=["record"]),
    "console:records-open-why": Answers(MEMBERS_ON, about=["record"]),
    "console:records-why": Answers(MEMBERS, about=["type", "record"]),
    "console:records-sync-run": Answers(NOTHING_THERE, about=["type", "record", "run"]),
    "console:custom-objects": Answers(MEMBERS),
    "console:people-sync-run": Answers(NOTHING_THERE, about=["person", "run"]),  # the run is not of this record
    "console:companies-sync-run": Answers(NOTHING_THERE, about=["company", "run"]),
    "console:people-why": Answers(MEMBERS, about=["person"]),
    "console:companies-why": Answers(MEMBERS, about=["company"]),
    "console:opportunities-why": Answers(MEMBERS, MEMBERS, about=["opportunity"]),
    "console:why": Answers(MEMBERS),
    "console:queue-list": Answers(MEMBERS),
    "console:lists-detail": Answers(MEMBERS, MEMBERS, ["list"]),
    "console:sequences-list": Answers(MEMBERS, MEMBERS),
    "console:sequences-detail": Answers(MEMBERS, MEMBERS, ["sequence"]),
    "console:people-activity": Answers(MEMBERS, about=["person"]),
    "console:custom-fields": Answers(MEMBERS, MEMBERS),
    "console:scores": Answers(MEMBERS, "302 403 422 422 422"),  # an empty form comes back with words
    "console:log-list": Answers(MEMBERS, MEMBERS),
    "console:log-merges": Answers(MEMBERS, MEMBERS),
    "console:log-run": Answers(MEMBERS, MEMBERS, ["run"]),
    "console:log-rows": Answers(MEMBERS, MEMBERS, ["run"]),
    "console:log-rows-csv": Answers(MEMBERS, MEMBERS, ["run"]),
    "console:errors-list": Answers(MEMBERS, MEMBERS),
    "console:errors-csv": Answers(MEMBERS, MEMBERS),
    "console:errors-detail": Answers(MEMBERS, MEMBERS, ["error"]),
    "console:salesforce": Answers(MEMBERS),
    "console:salesforce-checks": Answers(MEMBERS_ON),  # a part of the page: without htmx it leads to the whole
    "console:salesforce-status": Answers(MEMBERS),
    "console:salesforce-object": Answers(MEMBERS, about=["object"]),
    "console:profiles": Answers(MEMBERS),
    "console:step-preview": Answers(MEMBERS, about=["step"]),
    "console:sync-settings": Answers(MEMBERS),
    "console:members": Answers(MEMBERS),
    "console:people-export": Answers(MEMBERS),
    "console:companies-export": Answers(MEMBERS),
    "console:lists-export": Answers(MEMBERS, about=["list"]),
    # What marketers do.
    "console:imports-list": Answers(WORKERS),
    "console:people-import": Answers(WORKERS, "302 403 422 422 422"),
    "console:companies-import": Answers(WORKERS, "302 403 422 422 422"),
    "console:imports-columns": Answers(WORKERS, "302 403 422 422 422", ["import"]),
    "console:imports-detail": Answers(WORKERS, about=["imported"]),
    "console:imports-cancel": Answers(NEVER, WORKERS_ON, ["import"]),
    "console:imports-errors-csv": Answers(WORKERS, about=["imported"]),
    "console:bulk-detail": Answers(MEMBERS, about=["bulk"]),
    "console:bulk-ask": Answers(NEVER, WORKERS, ["area"], {"action": "push", "id": "person"}),
    "console:bulk-start": Answers(NEVER, WORKERS_ON, ["area"], {"action": "push", "id": "person"}),
    "console:bulk-cancel": Answers(NEVER, WORKERS_ON, ["bulk"]),
    "console:filters-new": Answers(WORKERS, "302 403 422 422 422", ["area"]),  # without a name and a rule
    "console:filters-edit": Answers(WORKERS, "302 403 422 422 422", ["saved"]),
    "console:filters-remove": Answers(NEVER, WORKERS_ON, ["saved"]),
    "console:records-new": Answers(WORKERS, WORKERS, ["type"]),
    "console:records-edit": Answers(WORKERS, "302 403 409 409 409", ["type", "record"]),
    "console:records-active": Answers(NEVER, WORKERS_ON, ["type", "record"]),
    "console:records-sync": Answers(NEVER, WORKERS_ON, ["type", "record"]),
    "console:custom-objects-look": Answers(NEVER, WORKERS_ON),
    "console:custom-objects-add": Answers(WORKERS_ON, WORKERS_ON),  # names no object: back to the choice
    "console:lists-new": Answers(WORKERS, "302 403 422 422 422"),
    "console:lists-change": Answers(NEVER, WORKERS_ON, ["list"]),
    "console:lists-members": Answers(NEVER, WORKERS_ON, ["list"]),
    "console:sequences-new": Answers(WORKERS, "302 403 422 422 422"),
    "console:sequences-change": Answers(NEVER, WORKERS_ON, ["sequence"]),
    "console:sequences-people": Answers(NEVER, WORKERS_ON, ["sequence"]),
    "console:people-score": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:people-lists": Answers(NEVER, WORKERS_ON, ["person"], {"list": "list"}),
    "console:people-sequences": Answers(NEVER, WORKERS_ON, ["person"], {"sequence": "sequence"}),
    "console:custom-fields-new": Answers(WORKERS, "302 403 422 422 422"),
    "console:custom-fields-edit": Answers(WORKERS, "302 403 422 422 422", ["custom_field"]),
    "console:custom-fields-remove": Answers(WORKERS, WORKERS_ON, ["custom_field"]),
    "console:people-new": Answers(WORKERS, WORKERS),  # an empty form comes back with words
    "console:companies-new": Answers(WORKERS, WORKERS),
    "console:people-edit": Answers(WORKERS, "302 403 409 409 409", ["person"]),  # without a version: overtaken
    "console:companies-edit": Answers(WORKERS, "302 403 409 409 409", ["company"]),
    "console:people-consent": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:people-active": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:companies-active": Answers(NEVER, WORKERS_ON, ["company"]),
    "console:people-link": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:people-unlink": Answers(NEVER, WORKERS_ON, ["person"], {"remote_id": "00Q000000000001AAA"}),
    "console:companies-link": Answers(NEVER, WORKERS_ON, ["company"]),
    "console:companies-unlink": Answers(NEVER, WORKERS_ON, ["company"]),
    "console:errors-settle": Answers(NEVER, WORKERS_ON, ["error"], {"choice": "new"}),
    "console:people-sync": Answers(NEVER, WORKERS_ON, ["person"]),
    "console:companies-sync": Answers(NEVER, WORKERS_ON, ["company"]),
    "console:queue-cancel": Answers(NEVER, WORKERS_ON),
    "console:queue-release": Answers(NEVER, WORKERS_ON),
    "console:queue-commands": Answers(NEVER, WORKERS_ON),
    "console:errors-clear": Answers(NEVER, WORKERS_ON, form={"error": "error"}),
    "console:errors-clear-all": Answers(WORKERS, WORKERS_ON),
    "console:errors-retry": Answers(NEVER, WORKERS_ON, form={"error": "error"}),
    "console:errors-retry-all": Answers(WORKERS, WORKERS_ON),
    "console:log-cancel": Answers(NEVER, WORKERS_ON, ["run"]),
    "console:salesforce-checks-run": Answers(NEVER, WORKERS_ON),
    "console:salesforce-mappings-reviewed": Answers(NEVER, WORKERS_ON),
    "console:object-on": Answers(NEVER, WORKERS_ON, ["object"], {"on": "0"}),
    "console:object-sync": Answers(NEVER, WORKERS_ON, ["object"]),
    "console:profile-switch": Answers(WORKERS_ON, WORKERS_ON, form={"to": "default"}),  # a page only with a choice
    "console:step-add": Answers(WORKERS, "302 403 409 409 409", form={"what": "record:Lead"}),  # without a version
    "console:step-move": Answers(NEVER, WORKERS_ON, ["step"], {"way": "up"}),
    "console:step-on": Answers(NEVER, WORKERS_ON, ["step"], {"on": "0"}),
    "console:step-turn": Answers(NEVER, WORKERS_ON, ["step"], {"version": "1"}),
    "console:step-clone": Answers(NEVER, WORKERS_ON, ["step"]),
    "console:step-remove": Answers(WORKERS, WORKERS_ON, ["step"]),
    "console:step-statuses": Answers(WORKERS, "302 403 409 409 409", ["status_step"]),
    "console:step-switches": Answers(NEVER, "302 403 302 302 302", ["step"], {"version": "1", "update_local": "on"}),
    "console:mappings-save": Answers(NEVER, WORKERS_ON, ["step"], {"version": "1"}),
    "console:mapping-add": Answers(WORKERS, "302 403 422 422 422", ["step"]),
    "console:mapping-values": Answers(WORKERS, WORKERS_ON, ["mapping"], {"version": "1"}),
    "console:step-filter": Answers(WORKERS, WORKERS_ON, ["step", "side"], {"version": "1"}),
    "console:step-list-views": Answers(NEVER, WORKERS_ON, ["step"]),
    "console:step-push-all": Answers(NEVER, WORKERS_ON, ["step"]),
    "console:sync-settings-full-sync": Answers(WORKERS_ON, WORKERS_ON),  # a run is open: onward to it
    # What admins do.
    "console:owners": Answers(MEMBERS, "302 403 403 302 302"),
    "console:sync-settings-save": Answers(NEVER, "302 403 403 422 422"),
    "console:salesforce-connect": Answers(NEVER, "302 403 403 200 200"),
    "console:salesforce-callback": Answers("302 403 403 400 400"),  # comes without a state
    "console:notices": Answers(MEMBERS, MEMBERS),
    "console:notices-open": Answers(NEVER, MEMBERS_ON, ["notice"]),
    "console:notices-read": Answers(NEVER, MEMBERS_ON),
    "console:salesforce-password": Answers(ADMINS, "302 403 403 422 422"),  # nothing was typed
    "console:salesforce-password-attempt": Answers(ADMINS, about=["attempt"]),
    "console:salesforce-disconnect": Answers(ADMINS, ADMINS_ON),
    "console:members-invite": Answers(NEVER, ADMINS_ON, form={"email": "new@x.example", "role": "viewer"}),
    "console:members-withdraw": Answers(NEVER, ADMINS_ON, ["invitation"]),
    "console:members-role": Answers(NEVER, ADMINS_ON, ["membership"], {"role": "admin"}),
    "console:members-remove": Answers(NEVER, ADMINS_ON, ["membership"]),
    "console:members-audit": Answers(ADMINS),
    "console:api-keys": Answers(ADMINS, "302 403 403 200 200", form={"name": "Web", "scopes": "people:read"}),
    "console:api-keys-revoke": Answers(NEVER, ADMINS_ON, ["api_key"]),
    "console:actions-list": Answers(MEMBERS),
    "console:actions-log": Answers(MEMBERS, about=["rule"]),
    "console:actions-new": Answers(WORKERS, "302 403 422 422 422"),
    "console:actions-edit": Answers(WORKERS, "302 403 422 422 422", ["rule"]),
    "console:actions-try": Answers(WORKERS, about=["rule"]),
    "console:actions-steps": Answers(NEVER, WORKERS_ON),
    "console:actions-switch": Answers(NEVER, WORKERS_ON, ["rule"]),
    "console:actions-move": Answers(NEVER, WORKERS_ON, ["rule"]),
    "console:actions-held": Answers(NEVER, WORKERS_ON, ["rule"]),
    "console:actions-delete": Answers(NEVER, WORKERS_ON, ["rule"]),
    "console:privacy": Answers(ADMINS),
    "console:privacy-allow": Answers(NEVER, ADMINS_ON, ["erasure"]),
    "console:people-data": Answers(ADMINS, about=["person"]),
    "console:people-erase": Answers(ADMINS, "302 403 403 422 422", ["person"]),
    "console:webhooks-list": Answers(ADMINS),
    "console:webhooks-new": Answers(ADMINS, "302 403 403 422 422"),
    "console:webhooks-detail": Answers(ADMINS, about=["webhook"]),
    "console:webhooks-edit": Answers(ADMINS, "302 403 403 422 422", ["webhook"]),
    "console:webhooks-switch": Answers(NEVER, ADMINS_ON, ["webhook"]),
    "console:webhooks-test": Answers(NEVER, ADMINS_ON, ["webhook"]),
    "console:webhooks-rotate": Answers(NEVER, ADMINS, ["webhook"]),
    "console:webhooks-delete": Answers(ADMINS, ADMINS_ON, ["webhook"]),
    "console:webhooks-delivery": Answers(ADMINS, about=["delivery"]),
    "console:webhooks-replay": Answers(NEVER, ADMINS_ON, ["delivery"]),
    # One's own affairs.
    "console:members-profile": Answers(NEVER, MEMBERS_ON, form={"name": "Ada"}),
    "console:members-new-tenant": Answers(NEVER, MEMBERS_ON, form={"name": "Another"}),
    "console:switch-tenant": Answers(NEVER, MEMBERS_ON, form={"to": "tenant"}),
    "console:theme": Answers(NEVER, MEMBERS_ON, form={"theme": "dark"}),
    "console:invitation": Answers(EVERYBODY, "200 409 409 409 409", ["token"]),  # it is for another address
    # Health: 503, since no worker lives here.
    "console:healthz": Answers("503 503 503 503 503"),
    # The package in Salesforce.
    "console:salesforce-package": Answers(MEMBERS),
    "console:salesforce-package-progress": Answers(MEMBERS_ON),
    "console:salesforce-package-install": Answers(NEVER, ADMINS_ON),
    "console:salesforce-package-cancel": Answers(NEVER, ADMINS_ON),
    # The panel in Salesforce: a signed request or its token says who is looking, and no cookie does.
    "embedded:canvas": Answers(EVERYBODY, "400 400 400 400 400"),
    "embedded:sync": Answers(NEVER, NO_TOKEN),
    "embedded:sync-run": Answers(NO_TOKEN),
    "embedded:opt-out": Answers(NEVER, NO_TOKEN),
    "embedded:list": Answers(NEVER, NO_TOKEN),
    "embedded:sequence": Answers(NEVER, NO_TOKEN),
    "embedded:view": Answers("302 400 400 400 400"),
    # django-allauth's pages.
    "account_login": Answers("200 302 302 302 302", "200 302 302 302 302"),
    "account_signup": Answers("200 302 302 302 302", "200 302 302 302 302"),
    "account_inactive": Answers(EVERYBODY),
    "account_logout": Answers(MEMBERS, MEMBERS_ON),
    "account_reauthenticate": Answers(MEMBERS, MEMBERS),
    "account_email": Answers(MEMBERS, MEMBERS_ON),
    "account_email_verification_sent": Answers(EVERYBODY),
    "account_confirm_email": Answers(EVERYBODY, "404 404 404 404 404", ["key"]),
    "account_change_password": Answers(MEMBERS, MEMBERS),
    "account_set_password": Answers(MEMBERS_ON, MEMBERS_ON),
    "account_reset_password": Answers(EVERYBODY, EVERYBODY),
    "account_reset_password_done": Answers(EVERYBODY),
    "account_reset_password_from_key": Answers(EVERYBODY, EVERYBODY, ["uidb36", "key"]),
    "account_reset_password_from_key_done": Answers(EVERYBODY),
    "account_confirm_login_code": Answers(MEMBERS_ON, MEMBERS_ON),
    # What changes the second factor asks for the password again first: 302.
    "mfa_index": Answers(MEMBERS, "302 405 405 405 405"),
    "mfa_authenticate": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_reauthenticate": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_activate_totp": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_deactivate_totp": Answers(NOTHING_THERE, NOTHING_THERE),
    "mfa_view_recovery_codes": Answers(NOTHING_THERE, "302 405 405 405 405"),
    "mfa_generate_recovery_codes": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_download_recovery_codes": Answers(NOTHING_THERE, NOTHING_THERE),
    "mfa_list_webauthn": Answers(MEMBERS, "302 405 405 405 405"),
    "mfa_add_webauthn": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_reauthenticate_webauthn": Answers(MEMBERS_ON, MEMBERS_ON),
    "mfa_remove_webauthn": Answers(MEMBERS_ON, MEMBERS_ON, ["passkey"]),
    "mfa_edit_webauthn": Answers(MEMBERS_ON, MEMBERS_ON, ["passkey"]),
    "usersessions_list": Answers(MEMBERS, MEMBERS_ON),
    # The API: sessions are worth nothing there; tests/api/test_permissions.py asks with keys.
    "api:schema": Answers(EVERYBODY),
    "api:docs": Answers(EVERYBODY),
    "api:nothing": Answers("404 404 404 404 404", "404 404 404 404 404", ["token"]),
    "api:root": Answers(NO_KEY, NO_KEY),
} | {name: Answers(NO_KEY, NO_KEY, address.about) for name, address in api.ADDRESSES.items()}
WITHOUT_TENANT = {
    "console:switch-tenant": "names the tenant to go to, among one's own",
    "console:theme": "belongs to the person",
    "console:invitation": "leads into a tenant from outside",
}
"""Forms that are not about the tenant they were rendered for."""
