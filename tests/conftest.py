"""Fixtures that every test may use: the repository, the shipped release, the reference data, a browser."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.settings import Settings

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores; with a thread a core in each, threads wait for one another longer than they work.
    # It stands here, before anything imports torch, which reads it once.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
SLOW_FILES = {
    "tests/potentials/test_every_potential.py", "tests/potentials/test_against_first_principles.py",
    "tests/potentials/test_nequip_mg_frames.py",
    "tests/potentials/test_nequip_mg_shipped.py", "tests/potentials/test_nequip_mg_training.py",
    "tests/potentials/test_nequip_mp.py", "tests/potentials/test_package.py", "tests/voltage/test_frozen_host.py",
    "tests/voltage/test_predict.py", "tests/voltage/test_contributions.py", "tests/voltage/test_inside.py",
    "tests/voltage/test_train.py", "tests/dynamics/test_physics.py", "tests/transport/test_diffusivity.py",
    "tests/tasks/test_cli.py", "tests/tasks/test_worker.py", "tests/tasks/test_queue.py",
    "tests/tasks/test_campaign.py", "tests/tasks/test_legs.py", "tests/tasks/test_needs.py", "tests/dft/test_gpaw.py",
    "tests/tasks/test_curve_cli.py", "tests/calculations/test_curve.py",
    "tests/app/test_voltage_curve.py", "tests/ordering/test_orderings.py", "tests/service/test_service_curves.py",
    "tests/calculations/test_a_fresh_kind.py", "tests/calculations/test_diffusion_results.py",
    "tests/calculations/test_refinement.py", "tests/calculations/test_relaxation.py",
    "tests/faults/test_jobs.py", "tests/faults/test_run_folders.py", "tests/faults/test_full_disk.py",
    "tests/faults/test_app.py",
    "tests/faults/test_dynamics.py", "tests/app/test_ends_section.py",
    "tests/app/test_md_candidate.py", "tests/app/test_md_release.py",
    "tests/test_cli.py", "tests/test_build.py", "tests/test_installed_package.py", "tests/test_benchmarks_import.py",
}  # fmt: skip
"""Files that load potentials, train networks or start processes; `make test-fast` leaves them out."""

START_LIMIT_S = 120
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow by its file."""
    for item in items:
        if item.path.relative_to(ROOT).as_posix() in SLOW_FILES:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def precomputed() -> Path:
    """The folder of the release that commands and pages read: the shipped one, unless MGC_PRECOMPUTED says another."""
    return Settings.from_environment().precomputed


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The reference data, which a fresh clone does not have beside it."""
    folder = Settings.from_environment().data
    if not (folder / "mg_candidates.jsonl.gz").is_file():
        pytest.skip(f"reference data not found in {folder} (set MGC_DATA)")
    return folder


def find_browser() -> str | None:
    """Return the browser that CHROMIUM names, or the first known one on the path."""
    for name in (os.environ.get("CHROMIUM"), *BROWSER_NAMES):
        if name and (path := shutil.which(name)):
            return path
    return None


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """A chromium to drive; its absence skips a test, and fails it when CI=true."""
    path = find_browser()
    if path is None:
        reason = "no chromium found (apt-get install chromium, or set CHROMIUM to a browser's path)"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(f"{reason}; with CI=true the browser tests must run")
        pytest.skip(reason)
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return answer.read() == b"ok"
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="session")
def start_app(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start a server of a script with extra environment variables and return its address; all stop at the end."""
    servers: list[subprocess.Popen[bytes]] = []

    def start(script: Path = root / "app" / "server.py", **environment: str) -> str:
        port = _free_port()
        log = tmp_path_factory.mktemp("app") / "server.log"
        command = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
        with log.open("wb") as stream:
            server = subprocess.Popen(
                [*command, "--server.address=127.0.0.1"],
                cwd=root,
                env=os.environ | environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        servers.append(server)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_LIMIT_S
        while not _healthy(url):
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the app did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.2)
        return url

    yield start
    for server in servers:
        server.terminate()
    for server in servers:
        server.wait(timeout=START_LIMIT_S)
