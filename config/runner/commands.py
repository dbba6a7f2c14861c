"""What ``demo``, ``up`` and every other command do, from the first port to the last line on the screen."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from socket import socket

import environ
from django.core.management import execute_from_command_line

from config.runner.ports import LOOPBACK, listen, reserve
from config.runner.process import RunnerError
from config.runner.services import start_services
from config.runner.stack import CHECKOUT, QUEUES, Stack
from config.runner.state import State, environment_of_running, open_state, state_home
from config.runner.supervisor import Stopped, Supervisor

DEMO_EMAIL = "demo@syncline.example"
EMULATOR_PORT = 8100
EMULATOR_CLIENT = {
    "SALESFORCE_CLIENT_ID": "3MVG9.emulator.syncline",
    "SALESFORCE_CLIENT_SECRET": "emulator-consumer-secret",
}


def say(text: str) -> None:
    print(text, flush=True)


@contextlib.contextmanager
def _ports(state: State, *, is_demo: bool) -> Iterator[tuple[socket, int | None]]:
    """The web server's socket and, for the demo, the stand-in's port; ours for the length of the block.

    The stand-in keeps its port where possible, because connections remember the address of their org.
    """
    with listen(int(os.environ.get("SYNCLINE_PORT") or 8000), or_next=is_demo) as listener:
        if not is_demo:
            yield listener, None
            return
        remembered = state.path("emulator-port")
        wanted = int(remembered.read_text(encoding="utf-8")) if remembered.exists() else EMULATOR_PORT
        port, reservation = reserve(wanted)
        remembered.write_text(str(port), encoding="utf-8")
        with reservation:
            yield listener, port


def _base_environment(state: State, port: int) -> dict[str, str]:
    """What every process is told; secrets given from outside win."""
    given = {name: value for name, value in state.secrets().items() if name not in os.environ}
    return {
        **given,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SYNCLINE_IGNORE_DOTENV": "1",
        "SYNCLINE_PORT": str(port),
        "SYNCLINE_BASE_URL": os.environ.get("SYNCLINE_BASE_URL") or f"http://{LOOPBACK}:{port}",
        "SYNCLINE_LOG_JSON": os.environ.get("SYNCLINE_LOG_JSON", "false"),
        "SYNCLINE_STATIC_ROOT": str(state.path("static")),
    }


def _is_loopback(host: str) -> bool:
    return host.rsplit(":", 1)[0] in {LOOPBACK, "localhost"}


def demo_environment(state: State, emulator_port: int, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """A Salesforce given from outside is used as it is; else it is the stand-in.

    Beside another stand-in on this machine ours stays trusted too, for the account that is already synced; beside
    the real one it does not, because plain http is allowed only when every trusted host is loopback.
    """
    emulator_host = f"{LOOPBACK}:{emulator_port}"
    environment = {
        "SYNCLINE_DEMO_EMAIL": DEMO_EMAIL,
        "SYNCLINE_DEMO_FACTS": str(state.path("demo-facts.json")),
        "SYNCLINE_EMULATOR_URL": f"http://{emulator_host}",
    }
    if not given.get("SALESFORCE_LOGIN_URL"):
        environment |= EMULATOR_CLIENT
        environment["SALESFORCE_LOGIN_URL"] = environment["SYNCLINE_EMULATOR_URL"]
        environment["SALESFORCE_TRUSTED_HOSTS"] = emulator_host
        return environment
    trusted = [host.strip() for host in given.get("SALESFORCE_TRUSTED_HOSTS", "").split(",") if host.strip()]
    if trusted and all(map(_is_loopback, trusted)):
        environment["SALESFORCE_TRUSTED_HOSTS"] = ",".join([*trusted, emulator_host])
    return environment


def _prepare(supervisor: Supervisor, stack: Stack, *, is_demo: bool) -> None:
    """Migrate, collect, seed; beside a Salesforce of somebody else's, the part of the demo that needs ours may fail."""
    is_own_salesforce = bool(os.environ.get("SALESFORCE_LOGIN_URL"))
    together = ["seed_demo"] if is_demo and not is_own_salesforce else []
    supervisor.run_once(stack.program("prepare", "config.runner.prepare", *together))
    if is_demo and is_own_salesforce:
        try:
            supervisor.run_once(stack.manage("seed_demo"))
        except RunnerError as error:
            say(f"Only a part of the demo could be filled beside the Salesforce that you gave. {error}")


def _screen(lines: Sequence[tuple[str, str]], notes: Sequence[str]) -> str:
    rule = "─" * 64
    return "\n".join(["", rule, *(f"{label}: {value}" for label, value in lines), "", *notes, rule])


def _demo_lines(stack: Stack, state: State) -> list[tuple[str, str]]:
    """The demo's login, the stand-in, and whatever the seeding wants to be known."""
    lines = [
        ("E-mail", DEMO_EMAIL),
        ("Password", stack.environment["SYNCLINE_DEMO_PASSWORD"]),
        ("Salesforce stand-in", f"{stack.environment['SYNCLINE_EMULATOR_URL']} (its first page lists the logins)"),
    ]
    facts = state.path("demo-facts.json")
    if facts.exists():
        found: dict[str, str] = json.loads(facts.read_text(encoding="utf-8"))
        lines += found.items()
    return lines


def _bring_up(supervisor: Supervisor, state: State, listener: socket, emulator_port: int | None) -> None:
    """Everything in order, until it is ready to be used."""
    began = time.monotonic()
    port: int = listener.getsockname()[1]
    environment = _base_environment(state, port)
    say("Starting PostgreSQL and Valkey …")
    environment |= start_services(supervisor, state).environment()
    if emulator_port is not None:
        environment |= demo_environment(state, emulator_port)
        environment["EMULATOR_CANVAS_URL"] = f"{environment['SYNCLINE_BASE_URL']}/embedded/salesforce/"
    stack = Stack(state.folder, environment)
    if emulator_port is not None:
        supervisor.start(stack.emulator(emulator_port))
    say("Preparing the database …")
    _prepare(supervisor, stack, is_demo=emulator_port is not None)
    say("Starting web, workers and clock …")
    supervisor.launch(*(stack.worker(queue) for queue in QUEUES), stack.beat())
    supervisor.launch(stack.web(listener.fileno(), f"http://{LOOPBACK}:{port}"))
    supervisor.wait_for(*supervisor.services, seconds=90)
    lines = [("Address", environment["SYNCLINE_BASE_URL"])]
    if emulator_port is None:
        lines.append(("Sign up", f"{environment['SYNCLINE_BASE_URL']}/accounts/signup/"))
    else:
        lines += _demo_lines(stack, state)
    state.remember(stack.environment)
    notes = [f"Logs: {state.path('logs')}", f"Ready after {time.monotonic() - began:.0f} s. Ctrl-C stops everything."]
    say(_screen(lines, notes))


def run(name: str) -> int:
    """``demo`` and ``up``: run until told to stop."""
    is_demo = name == "demo"
    if not is_demo:
        read_dotenv()
    try:
        with (
            open_state(state_home(CHECKOUT), name, numbered=is_demo) as state,
            _ports(state, is_demo=is_demo) as (listener, emulator_port),
        ):
            supervisor = Supervisor(say=say, note_children=state.note_children)
            try:
                with supervisor.signals():
                    _bring_up(supervisor, state, listener, emulator_port)
                    supervisor.watch()
            finally:
                state.forget()
    except Stopped:
        say("Stopped.")
        return 0
    except RunnerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def read_dotenv() -> None:
    """Take what ``.env`` says and the environment does not. The demo does not: it is not to meet real data."""
    if (CHECKOUT / ".env").is_file():
        environ.Env.read_env(CHECKOUT / ".env")


def django_command(arguments: Sequence[str]) -> int:
    """Any other command, in the environment of a running copy, else with the services of ``up`` for its length."""
    read_dotenv()
    home = state_home(CHECKOUT)
    if "DATABASE_URL" not in os.environ:
        os.environ.update(environment_of_running(home, ["up", "demo"]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if "DATABASE_URL" in os.environ:
        execute_from_command_line(["manage.py", *arguments])
        return 0
    try:
        with open_state(home, "up", numbered=False) as state:
            supervisor = Supervisor(say=say)
            try:
                os.environ.update(_base_environment(state, 8000))
                os.environ.update(start_services(supervisor, state).environment())
                execute_from_command_line(["manage.py", *arguments])
            finally:
                supervisor.stop()
    except RunnerError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
