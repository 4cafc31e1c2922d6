"""The runs of a campaign on a Dask cluster: of this machine, of SLURM, or of any scheduler. Same folders, same results.

A task is a worker process (`core.tasks.worker`) on the folder of one run, which all machines must see under one path.
A node that dies costs what its runs had not yet kept: the scheduler gives them to another, which goes on from their
checkpoints, or waits where the old process is still at work.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.calculations import Spec
from core.errors import JobError
from core.settings import ROOT, Settings
from core.tasks import queue
from core.tasks.folder import RunFolder
from core.tasks.queue import ACTIVE, Job, look

if TYPE_CHECKING:
    from distributed import Client

_POLL_S: Final = 2.0
_RETRIES: Final = 3
_CONNECT: Final = "20s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where runs go: `workers` processes of this machine, a scheduler's `address`, or jobs of SLURM.

    `slurm`: options of `dask_jobqueue.SLURMCluster` beside the number of `workers`, such as queue, cores, memory and
    walltime; None for another place.
    """

    workers: int = 1
    address: str | None = None
    slurm: dict[str, Any] | None = None

    @contextlib.contextmanager
    def client(self) -> Iterator["Client"]:
        """Yield a client of the cluster, started here unless an address is given. Raises `JobError` without Dask."""
        try:
            from distributed import LocalCluster
        except ImportError as error:
            raise JobError(f"Dask is not installed ({error}); `make setup` brings it.") from error
        if self.address is not None:
            try:
                client = _client(self.address)
            except (OSError, TimeoutError, ValueError) as error:
                raise JobError(f"No Dask scheduler answers at {self.address} ({error}).") from error
            with client:
                yield client
            return
        local: Any = LocalCluster
        made = self._slurm_cluster() if self.slurm is not None else local(
            n_workers=self.workers, threads_per_worker=1, processes=True, dashboard_address=None
        )  # fmt: skip
        with made, _client(made) as client:
            yield client

    def _slurm_cluster(self) -> Any:
        try:
            jobs: Any = import_module("dask_jobqueue")
        except ImportError as error:
            raise JobError(
                f"dask-jobqueue is not installed ({error}); `pip install dask-jobqueue` brings it."
            ) from error
        made = jobs.SLURMCluster(**{"cores": 1, "processes": 1, "memory": "4GB", **(self.slurm or {})})
        made.scale(jobs=self.workers)
        return made


def _client(where: Any) -> Any:
    from distributed import Client

    connect: Any = Client  # dask's functions carry no types
    return connect(where, timeout=_CONNECT)


def run_on(cluster: Cluster, specs: Sequence[Spec], folder: Path | None = None) -> Iterator[Job]:
    """Do the runs that are not done on a cluster, and yield each as it stands afterwards, in the order of their ends.

    One that fails stays as it is, with its reason in its folder. Raises `JobError` where no cluster can be had.
    """
    waiting = []
    for spec in specs:
        run = RunFolder.of(spec, folder)
        run.create(spec)
        if (job := look(run)).state == "finished":
            yield job
        else:
            waiting.append(run)
    if not waiting:
        return
    with cluster.client() as client:
        futures = {
            client.submit(
                _do, str(run.path.resolve()), cluster.workers, queue.WORKER, key=run.name, retries=_RETRIES
            ): run
            for run in waiting
        }
        ended: Any = import_module("distributed").as_completed
        for future in ended(futures):
            yield look(futures[future])


def _do(path: str, slots: int, worker: tuple[str, ...]) -> None:
    """Do one run in a process of its own; where another process is at it, wait for that."""
    folder = RunFolder(path=Path(path))
    environment = {**os.environ, "MGC_CPU_SLOTS": str(max(slots, Settings.from_environment().cpu_slots))}
    command = [sys.executable, *worker, path]
    while True:
        subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        state = look(folder).state
        if state == "interrupted":
            raise JobError(f"{folder.name} was interrupted; the scheduler tries again.")
        if state not in ACTIVE:
            return
        time.sleep(_POLL_S)
