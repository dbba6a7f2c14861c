"""Folders and secret files: who may see them, and where they can lie."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from config.runner.process import Account, RunnerError


def is_reachable(folder: Path, account: Account | None) -> bool:
    """Whether ``account`` may pass through every folder down to ``folder``, the missing ones left out."""
    if account is None:
        return True
    for place in [folder, *folder.parents]:
        if place.exists():
            status = place.stat()
            bit = 0o100 if status.st_uid == account.user else 0o010 if status.st_gid == account.group else 0o001
            if not status.st_mode & bit:
                return False
    return True


def make_folder(folder: Path, *, shared_with: Account | None) -> None:
    """A folder of ours; ``shared_with`` may pass through it to what is theirs, and not list it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700 if shared_with is None else 0o711)
    if not is_reachable(folder, shared_with):
        raise RunnerError(f"{folder} lies in a folder that only root can enter; PostgreSQL cannot run there.")


def write_secrets(path: Path, values: dict[str, str]) -> None:
    """Write the values as JSON that only we can read, wholly or not at all."""
    handle, unfinished = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    Path(unfinished).replace(path)


def read_secrets(path: Path) -> dict[str, str]:
    """What ``write_secrets`` wrote there; empty if nothing."""
    if not path.exists():
        return {}
    values: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return values


def _is_ours(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return folder.stat().st_uid == os.geteuid() and os.access(folder, os.W_OK)


def root_storage() -> Path:
    """Where root keeps what another account has to reach."""
    for folder in (Path("/var/lib/syncline"), Path("/var/tmp/syncline-root")):  # noqa: S108  # checked to be ours
        if _is_ours(folder):
            folder.chmod(0o755)
            return folder
    raise RunnerError("Neither /var/lib nor /var/tmp can be written.")


def user_storage() -> Path:
    """Where a user keeps what the checkout cannot hold."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    places = [Path(named)] if named else []
    places += [Path.home() / ".cache", Path(tempfile.gettempdir()) / f"syncline-{os.geteuid()}"]
    for place in places:
        if _is_ours(place / "syncline"):
            return place / "syncline"
    raise RunnerError("Neither the checkout, the home folder nor the temporary folder can be written.")


def storage_name(checkout: Path) -> str:
    """A short name for a checkout, the same each time."""
    return hashlib.sha256(str(checkout).encode()).hexdigest()[:12]
