#!/usr/bin/env python3
"""The one command: ``python3 manage.py demo | up | test | …`` works with Python alone.

It makes ``.venv`` from a hashed lock file and runs the command inside it. It steps aside where somebody else
brought the packages: with NO_BOOTSTRAP=1 (containers), and in an active virtual environment that has them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BASE = Path(__file__).resolve().parent
STAMP = "syncline-lock.json"
NEEDED = {"demo": ("django", "celery", "gunicorn"), "test": ("django", "celery", "gunicorn", "pytest")}
LEVELS = {"demo": ("demo",), "test": ("demo", "test")}  # the lock for tests holds what the demo needs, too

MODULES = {"test": "pytest", "histories": "tests.histories", "mutants": "tests.histories.mutants"}
"""Commands that need the packages for tests, and the modules that do them."""


def lock_for(command: str) -> str:
    """The name of the lock file whose packages ``command`` needs."""
    return "test" if command in MODULES else "demo"


def digest(lock: str) -> str:
    return hashlib.sha256((BASE / "requirements" / (lock + ".lock")).read_bytes()).hexdigest()


def python_version() -> str:
    return ".".join(map(str, sys.version_info[:2]))


def stamp_for(lock: str) -> dict[str, str]:
    """What a finished environment says of itself."""
    return {"python": python_version(), **{level: digest(level) for level in LEVELS[lock]}}


def missing(found: dict[str, str], lock: str) -> str:
    """What an environment with the stamp ``found`` lacks for ``lock``: nothing, packages, or everything."""
    wanted = stamp_for(lock)
    if all(found.get(key) == value for key, value in wanted.items()):
        return "nothing"
    basis = stamp_for("demo")
    if all(found.get(key) == value for key, value in basis.items()) and "test" not in found:
        return "packages"  # adding to it does not disturb a demo that runs from it
    return "everything"


def environment_folder() -> Path:
    """``.venv`` of the checkout, or where the user keeps caches when the checkout cannot be written."""
    if os.access(str(BASE), os.W_OK):
        return BASE / ".venv"
    name = "syncline-" + hashlib.sha256(str(BASE).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    with contextlib.suppress(OSError):
        (cache / name).mkdir(parents=True, exist_ok=True)
        return cache / name / "venv"
    private = Path(tempfile.gettempdir()) / f"{name}-{os.geteuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.geteuid():
        sys.exit(f"{private} belongs to somebody else.")
    return private / "venv"


def steps_aside(lock: str) -> bool:
    """Whether the packages are somebody else's business."""
    if os.environ.get("NO_BOOTSTRAP") == "1":
        return True
    is_virtual = sys.prefix != sys.base_prefix
    return (
        is_virtual
        and Path(sys.prefix) != environment_folder()
        and all(importlib.util.find_spec(name) is not None for name in NEEDED[lock])
    )


def read_stamp(folder: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((folder / STAMP).read_text())
    except (OSError, ValueError):
        return {}
    return found if (folder / "bin" / "python").exists() else {}


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Two commands that start at once make the environment one after the other."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = BASE / ".state" / "venv.lock" if folder.parent == BASE else folder.with_name("venv.lock")
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install(folder: Path, lock: str) -> None:
    """Install a lock file's packages by their hashes: with uv where it works, else with pip."""
    requirements = str(BASE / "requirements" / (lock + ".lock"))
    python = str(folder / "bin" / "python")
    common = ["--quiet", "--require-hashes", "--no-deps", "-r", requirements]
    uv = shutil.which("uv")
    if uv:
        environment = {**os.environ, "VIRTUAL_ENV": str(folder)}
        done = subprocess.run(
            [uv, "pip", "install", "--python", python, *common], env=environment, capture_output=True, check=False
        )
        if done.returncode == 0:
            return
    if subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode != 0:
        done = subprocess.run([python, "-m", "ensurepip", "--default-pip"], capture_output=True, check=False)
        if done.returncode != 0:
            sys.exit("Python's venv and pip are missing here; on Debian and Ubuntu: apt install python3-venv")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", *common]
    if subprocess.run(pip, check=False).returncode != 0:
        sys.exit("The packages could not be installed; pip says why above. Is the package index reachable?")


def make_environment(folder: Path, lock: str) -> None:
    """Bring the environment to what ``lock`` says; the stamp is written last, so that half a one is made anew."""
    with only_one(folder):
        lack = missing(read_stamp(folder), lock)
        if lack == "nothing":
            return
        print(f"Installing Python packages into {folder} (once, about half a minute) …", file=sys.stderr)
        stamp = folder / STAMP
        if lack == "everything":
            if importlib.util.find_spec("venv") is None:
                sys.exit("Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv")
            if stamp.exists():
                stamp.unlink()
            shutil.rmtree(str(folder), ignore_errors=True)
            subprocess.run([base_python(), "-m", "venv", "--without-pip", str(folder)], check=True)
        install(folder, lock)
        packages = folder / "lib" / f"python{python_version()}" / "site-packages"
        (packages / "syncline.pth").write_text(f"{BASE}\n")  # so that .venv/bin/pytest and celery find the project
        stamp.write_text(json.dumps(stamp_for(lock), indent=1) + "\n")


def base_python() -> str:
    """The interpreter behind the virtual environment we may be in."""
    return str(getattr(sys, "_base_executable", sys.executable))


def command_line(python: str, arguments: Sequence[str]) -> list[str]:
    if arguments and arguments[0] in MODULES:
        return [python, "-m", MODULES[arguments[0]], *arguments[1:]]
    return [python, "-m", "config.runner", *arguments]


def main() -> None:
    """Prepare, then become the command."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this file is what tells users of an old Python so
        sys.exit(f"Syncline needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    arguments = sys.argv[1:]
    lock = lock_for(arguments[0] if arguments else "")
    python = sys.executable
    if not steps_aside(lock):
        folder = environment_folder()
        if missing(read_stamp(folder), lock) != "nothing":
            make_environment(folder, lock)
        python = str(folder / "bin" / "python")
    os.chdir(str(BASE))
    sys.stdout.flush()
    os.execv(python, command_line(python, arguments))


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
