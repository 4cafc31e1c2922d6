"""Many molecular dynamics runs in rank order: which candidates, which runs, and the loop that does them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from core.calculations import Spec
from core.calculations.kinds.diffusion import DiffusionSpec
from core.dynamics import Protocol
from core.errors import JobError
from core.records import Crystal
from core.screening import Thresholds, rank_for_dynamics
from core.store import Reader
from core.tasks.folder import RunFolder
from core.tasks.queue import Job, look
from core.tasks.worker import run_job


def ranked_crystals(reader: Reader, top: int, thresholds: Thresholds | None = None) -> list[Crystal]:
    """Return the first `top` candidates in the order of `rank_for_dynamics`, the best ranked one of each formula."""
    ranked = rank_for_dynamics(reader.screen(), thresholds or Thresholds())
    ids = ranked.drop_duplicates("formula").id.head(top)
    return [reader.crystal(id) for id in ids]


def campaign(
    crystals: Sequence[Crystal],
    protocol: Protocol,
    potential: str,
    seeds: Sequence[int],
    device: str = "auto",
    *,
    refine_rounds: int = 0,
) -> list[DiffusionSpec]:
    """Return the runs of a campaign: every seed of the first crystal, then of the next."""
    return [
        DiffusionSpec.planned(
            crystal=crystal, protocol=protocol, potential=potential, device=device, seed=seed,
            refine_rounds=refine_rounds,
        )
        for crystal in crystals
        for seed in seeds
    ]  # fmt: skip


def run_all(specs: Sequence[Spec], folder: Path | None = None) -> Iterator[Job]:
    """Do the runs that are not done, one after another in this process, and yield each as it stands afterwards.

    Several processes may share a campaign: a run that another one works on is passed over.
    """
    for spec in specs:
        run = RunFolder.of(spec, folder)
        run.create(spec)
        if (job := look(run)).state == "finished":
            yield job
            continue
        try:
            yield run_job(run.path)
        except JobError:
            continue
