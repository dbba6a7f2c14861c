"""The emulator has room for more orgs than an account may have files open by default."""

import subprocess
import sys
from pathlib import Path

from emulator.control import EmulatorControl

FEW = 64


def test_more_orgs_than_files_may_be_open_by_default(tmp_path: Path) -> None:
    command = f'ulimit -Sn {FEW}; exec "$0" -m emulator --port 0 --data "$1"'
    process = subprocess.Popen(
        ["/bin/sh", "-c", command, sys.executable, str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        control = EmulatorControl(process.stdout.readline().removeprefix("Emulator: ").strip())
        made = {control.create_org(name=f"Org {number}")["id"] for number in range(FEW + 10)}
        assert len(made) == FEW + 10
    finally:
        process.terminate()
        process.communicate(timeout=10)
