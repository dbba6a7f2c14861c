"""Sessions in the database, loaded and saved in a transaction of the application's role."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore

from apps.core.db import app_transaction


class SessionStore(DatabaseSessionStore):
    """Django's database sessions; each access brings the role it needs."""

    def load(self) -> dict[str, Any]:
        with app_transaction():
            data: dict[str, Any] = super().load()
            return data

    def exists(self, session_key: str) -> bool:
        with app_transaction():
            return bool(super().exists(session_key))

    def save(self, must_create: bool = False) -> None:
        with app_transaction():
            super().save(must_create=must_create)

    def delete(self, session_key: str | None = None) -> None:
        with app_transaction():
            super().delete(session_key)

    @classmethod
    def clear_expired(cls) -> None:
        with app_transaction():
            super().clear_expired()
