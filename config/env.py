"""The one reader of the environment: every setting that a deployment may change, checked at start."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

_env = environ.Env()


def is_loopback(host: str) -> bool:
    """True for a host name that can only be this machine."""
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    return name in {"localhost", "127.0.0.1", "::1", "[::1]"}


@dataclass(frozen=True, slots=True)
class Environment:
    """What the process was told from outside; secrets have no default outside development."""

    debug: bool
    secret_key: str
    base_url: str
    database_url: str
    database_owner_url: str
    redis_url: str
    email_url: str
    encryption_keys: tuple[str, ...]
    salesforce_login_url: str
    salesforce_client_id: str
    salesforce_client_secret: str
    salesforce_trusted_hosts: tuple[str, ...]
    salesforce_api_version: str
    log_json: bool

    @property
    def base_host(self) -> str:
        return urlsplit(self.base_url).hostname or "localhost"

    @property
    def is_secure(self) -> bool:
        return urlsplit(self.base_url).scheme == "https"

    @property
    def salesforce_is_loopback(self) -> bool:
        """True where Salesforce is a stand-in on this machine, so that plain HTTP is allowed."""
        return bool(self.salesforce_trusted_hosts) and all(map(is_loopback, self.salesforce_trusted_hosts))


def _secret(name: str, development_value: str, debug: bool) -> str:
    """A secret from the variable, or from the file that ``<name>_FILE`` names."""
    path: str = _env.str(f"{name}_FILE", default="")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    value: str = _env.str(name, default="")
    if value:
        return value
    if debug:
        return development_value
    raise ImproperlyConfigured(f"{name} must be set (or {name}_FILE, a path to a file with it).")


def _checked_url(name: str, default: str) -> str:
    value: str = _env.str(name, default=default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ImproperlyConfigured(f"{name} must be an http(s) address, not {value!r}.")
    return value


def read_environment() -> Environment:
    """Read and check every variable once; a bad value stops the start with its name."""
    dotenv = BASE_DIR / ".env"
    if dotenv.is_file() and "SYNCLINE_IGNORE_DOTENV" not in os.environ:
        environ.Env.read_env(dotenv)
    debug = _env.bool("DEBUG", default=False)
    port = _env.int("SYNCLINE_PORT", default=8000)
    hosts = tuple(h.strip() for h in _env.list("SALESFORCE_TRUSTED_HOSTS", default=[]) if h.strip())
    login_url = _checked_url("SALESFORCE_LOGIN_URL", "https://login.salesforce.com")
    if login_url.startswith("http://") and not (hosts and all(map(is_loopback, hosts))):
        raise ImproperlyConfigured(
            "SALESFORCE_LOGIN_URL may use plain http only when every host of SALESFORCE_TRUSTED_HOSTS is loopback."
        )
    database_url = _env.str("DATABASE_URL", default="")
    if not database_url:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set. `python3 manage.py demo` or `up` starts an embedded database."
        )
    return Environment(
        debug=debug,
        secret_key=_secret("SECRET_KEY", "development-only-secret-key-" + "x" * 32, debug),
        base_url=_checked_url("SYNCLINE_BASE_URL", f"http://127.0.0.1:{port}"),
        database_url=database_url,
        database_owner_url=_env.str("DATABASE_OWNER_URL", default=database_url),
        redis_url=_env.str("REDIS_URL", default="redis://127.0.0.1:6379/0"),
        email_url=_env.str("EMAIL_URL", default=""),
        encryption_keys=tuple(
            _secret(
                "SYNCLINE_ENCRYPTION_KEYS",
                "dev:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
                debug,
            ).split(",")
        ),
        salesforce_login_url=login_url,
        salesforce_client_id=_env.str("SALESFORCE_CLIENT_ID", default=""),
        salesforce_client_secret=_env.str("SALESFORCE_CLIENT_SECRET", default=""),
        salesforce_trusted_hosts=hosts,
        salesforce_api_version=_env.str("SALESFORCE_API_VERSION", default="66.0"),
        log_json=_env.bool("SYNCLINE_LOG_JSON", default=not debug),
    )
