"""Django's settings. Everything that a deployment may change comes from ``config.env``."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import environ
import structlog
from csp.constants import NONCE, NONE, SELF
from kombu import Queue

from config.env import BASE_DIR, read_environment

ENV = read_environment()

DEBUG = ENV.debug
SECRET_KEY = ENV.secret_key
ALLOWED_HOSTS = [ENV.base_host, "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [ENV.base_url]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "django_cotton",
    "lucide",
    "django_structlog",
    "apps.core",
    "apps.tenants",
    "apps.outbox",
    "apps.notifications",
    "apps.integrations",
    "apps.audience",
    "apps.field_mappings",
    "apps.sync_settings",
    "apps.imports",
    "apps.sync_actions",
    "apps.sync_errors",
    "apps.sync",
    "apps.console",
    "apps.api",
    "apps.embedded",
    "apps.demo",
]

# The request's transaction opens before anything that reads a table (sessions, users, memberships).
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "apps.core.middleware.PermissionsPolicyMiddleware",
    "apps.core.middleware.WrongMethodMiddleware",
    "apps.core.middleware.RequestTransactionMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.tenants.middleware.TenantMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "apps.console.context.shell",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django_cotton.cotton_loader.Loader",
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": [
                "django.templatetags.static",
                "django_cotton.templatetags.cotton",
                "lucide.templatetags.lucide",
            ],
        },
    }
]
COTTON_DIR = "components"
COTTON_SNAKE_CASED_NAMES = False

# Two doors to one database: the login role without rights for all work, the owner for migrations only.
_login = environ.Env.db_url_config(ENV.database_url)
_owner = environ.Env.db_url_config(ENV.database_owner_url)
for _database in (_login, _owner):
    _database["ENGINE"] = "django.db.backends.postgresql"
    _database["OPTIONS"] = {
        "connect_timeout": 10,
        "options": "-c statement_timeout=60000 -c jit=off",
    }
    _database["CONN_MAX_AGE"] = 60
    _database["CONN_HEALTH_CHECKS"] = True
_owner["OPTIONS"] = {
    "connect_timeout": 10,
    "options": "-c lock_timeout=10000 -c jit=off",
}
_owner["CONN_MAX_AGE"] = 0
DATABASES: dict[str, dict[str, Any]] = {"default": dict(_login), "owner": dict(_owner)}
SYNCLINE_APP_ROLE = "syncline_app"
SYNCLINE_DISPATCHER_ROLE = "syncline_dispatcher"

AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "apps.tenants.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "apps.tenants.forms.SignupForm"
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if ENV.email_url else "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Syncline] "
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_TOTP_ISSUER = "Syncline"
# Without mail nobody can verify an address; a second factor must be possible all the same.
MFA_ALLOW_UNVERIFIED_EMAIL = not ENV.email_url
SESSION_ENGINE = "apps.core.sessions"
SESSION_COOKIE_NAME = "syncline_session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.is_secure
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "syncline_csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"
SECURE_HSTS_SECONDS = 31_536_000 if ENV.is_secure else 0
SECURE_SSL_REDIRECT = False
# TLS ends at the proxy of a deployment whose address is https.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.is_secure else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENV.redis_url,
        "KEY_PREFIX": "syncline",
    }
}

_SIDECAR = find_spec("drf_spectacular_sidecar")
assert _SIDECAR is not None
assert _SIDECAR.origin is not None
_SWAGGER_UI = Path(_SIDECAR.origin).parent / "static" / "drf_spectacular_sidecar" / "swagger-ui-dist"
STATIC_URL = "static/"
STATIC_ROOT = os.environ.get("SYNCLINE_STATIC_ROOT", str(BASE_DIR / "staticfiles"))
STATICFILES_DIRS: list[Any] = [BASE_DIR / "static", ("swagger", _SWAGGER_UI)]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

if ENV.email_url:
    vars().update(environ.Env.email_url_config(ENV.email_url))
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = f"Syncline <no-reply@{ENV.base_host}>"

SYNCLINE_BASE_URL = ENV.base_url
SYNCLINE_PACKAGE = BASE_DIR / "salesforce_package" / "force-app" / "main" / "default"
SYNCLINE_ENCRYPTION_KEYS = ENV.encryption_keys
SALESFORCE_LOGIN_URL = ENV.salesforce_login_url
SALESFORCE_CLIENT_ID = ENV.salesforce_client_id
SALESFORCE_CLIENT_SECRET = ENV.salesforce_client_secret
SALESFORCE_TRUSTED_HOSTS = ENV.salesforce_trusted_hosts
SALESFORCE_API_VERSION = ENV.salesforce_api_version
SALESFORCE_IS_LOOPBACK = ENV.salesforce_is_loopback
SALESFORCE_APP_NAME = "Syncline"
# In development a webhook may be called on this machine, over plain HTTP, too; never elsewhere.
WEBHOOKS_MAY_BE_LOCAL = ENV.debug

# PostgreSQL is the record of work and Redis carries wake-up calls: messages are acknowledged early, hold ids
# only, and a lost one is sent again by the sweep of the tick.
CELERY_BROKER_URL = ENV.redis_url
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_QUEUES = [Queue("interactive"), Queue("routine"), Queue("bulk")]
CELERY_TASK_DEFAULT_QUEUE = "interactive"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A thread keeps its connection from task to task: a new one costs more than the beginning of a small sync. Old and
# broken ones are closed between tasks (config/celery.py).
CELERY_DB_REUSE_MAX = 10**12
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "socket_timeout": 30,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "queue_order_strategy": "round_robin",
}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "apps.sync.tasks.tick",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "notices": {
        "task": "apps.notifications.tasks.tick",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "imports": {
        "task": "apps.imports.tasks.tick",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
    "webhooks": {
        "task": "apps.notifications.tasks.webhook_tick",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.api.keys.KeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.api.keys.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.api.throttling.KeyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsing.StrictJson"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.ApiSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "apps.api.errors.answer_to",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
API_CALLS_PER_MINUTE = 600
SPECTACULAR_SETTINGS = {
    "TITLE": "Syncline API",
    "VERSION": "1",
    "DESCRIPTION": (
        "People, companies, lists and events of one account, and its sync with Salesforce.\n\n"
        "Send a key of the account as `Authorization: Bearer …`. Bodies are JSON. Lists come in pages: ask for the "
        "next one with `cursor`. Whatever is refused comes back in one shape, and nothing of it took effect. "
        "Addresses end with a slash."
    ),
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "TAGS": [
        {"name": "Key", "description": "Whose key this is."},
        {"name": "People", "description": "Everybody, whatever they are in Salesforce."},
        {"name": "Companies", "description": "Companies that people belong to."},
        {"name": "Opportunities", "description": "Deals of the sales team, to read."},
        {"name": "Events", "description": "What people did, and what was done with them."},
        {"name": "Lists", "description": "Lists and Campaigns, and who is on them."},
        {"name": "Sequences", "description": "Series of steps, and who is led through them."},
        {"name": "Custom fields", "description": "Fields that the account added to records."},
        {"name": "Custom records", "description": "Records of types that the account added."},
        {"name": "Sync", "description": "How the sync with Salesforce does, and starting it."},
        {"name": "Sync errors", "description": "What stopped a record, and what helps."},
    ],
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "RunKind": "apps.api.runs.KINDS",
        "RunState": "apps.api.runs.STATES",
        "ReceivedEventKind": "apps.audience.models.RECEIVED_KINDS",
        "CustomFieldKind": "apps.audience.services.custom_fields.KINDS",
    },
}

SILENCED_SYSTEM_CHECKS: list[str] = []

_SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED_PROCESSORS,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processor": structlog.processors.JSONRenderer()
            if ENV.log_json
            else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
            "foreign_pre_chain": _SHARED_PROCESSORS,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django_structlog": {"level": "WARNING"},
        "django.request": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
    },
}
