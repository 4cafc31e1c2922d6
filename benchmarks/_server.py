"""A server of the explorer on a free port of this machine, for benchmarks that look at it from outside."""

import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from core.provenance import package_versions

ROOT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 120.0
WARM_LIMIT_S = 120.0
_QUIET_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: its address, its process, and the wall seconds from its start to its first answer."""

    url: str
    process: psutil.Process
    start_s: float

    def cpu_s(self) -> float:
        """CPU seconds of the server and its children so far."""
        return cpu_s([self.process, *self.process.children(recursive=True)])

    def memory_mb(self) -> float:
        """Resident memory of the server alone."""
        return float(self.process.memory_info().rss) / 1e6

    def wait_until_idle(self) -> None:
        """Return when the server has worked little for a second, as after its background loading."""
        deadline = time.monotonic() + WARM_LIMIT_S
        while time.monotonic() < deadline:
            before = self.cpu_s()
            time.sleep(1.0)
            if self.cpu_s() - before < _QUIET_SHARE:
                return


def cpu_s(processes: list[psutil.Process]) -> float:
    """CPU seconds of processes, those that have ended left out."""
    total = 0.0
    for process in processes:
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system
    return total


@contextmanager
def running_server(**environment: str) -> Iterator[Server]:
    """Start the explorer with a folder of runs of its own, and stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/server.py", f"--server.port={port}"]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "server.log").open("wb") as log:
        variables = os.environ | {"MGC_RUNS": f"{folder}/runs", "OMP_NUM_THREADS": "1"} | environment
        start = time.perf_counter()
        child = subprocess.Popen(
            [*command, "--server.address=127.0.0.1", "--server.headless=true"], cwd=ROOT, env=variables,
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for(url, child, Path(log.name))
            yield Server(url=url, process=psutil.Process(child.pid), start_s=time.perf_counter() - start)
        finally:
            child.terminate()
            child.wait(timeout=START_LIMIT_S)


def _wait_for(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and child.poll() is None:
        with (
            suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(f"{url}/_stcore/health") as answer,
        ):
            if answer.read() == b"ok":
                return
        time.sleep(0.1)
    raise SystemExit(f"the server did not start:\n{log.read_text(errors='replace')[-3000:]}")


def machine_words(*packages: str) -> str:
    """Return the machine, its load and the versions that matter, for the head of a report."""
    versions = ", ".join(f"{name} {version}" for name, version in package_versions(packages).items())
    return (
        f"{platform.platform()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}; {versions}"
    )
