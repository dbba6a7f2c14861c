"""The emulator as a child process that dies with its parent."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """A running emulator: its address and its process."""

    base_url: str
    process: "subprocess.Popen[str]"

    @property
    def port(self) -> int:
        return int(self.base_url.rpartition(":")[2])

    def stop(self) -> None:
        """End it and wait until it is gone."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def start_emulator(data_dir: Path, port: int = 0, env: dict[str, str] | None = None) -> RunningEmulator:
    """Start ``python -m emulator`` and wait until it listens; raises RuntimeError if it does not."""
    command = [sys.executable, "-m", "emulator", "--port", str(port), "--data", str(data_dir)]
    command += ["--parent", str(os.getpid())]
    process = subprocess.Popen(  # noqa: S603  # our own module
        command,
        cwd=_ROOT,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("Emulator: "):
        process.kill()
        process.wait()
        process.stdout.close()
        raise RuntimeError(f"the emulator did not start: {line!r}")
    return RunningEmulator(line.split()[1], process)
