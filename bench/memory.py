"""Peak memory of processes, sampled from /proc."""

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self


class PeakMemory:
    """Samples resident memory ten times a second while the block runs."""

    def __init__(self, processes: Mapping[str, int]) -> None:
        self._processes = processes
        self._stop = threading.Event()
        self.peaks: dict[str, int] = dict.fromkeys(processes, 0)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.1):
            for name, pid in self._processes.items():
                self.peaks[name] = max(self.peaks[name], _resident(pid))


def _resident(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0
    return 0
