"""Many runs in rank order: the candidates whose conductivities a release holds, and the loop that does them."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from core.dynamics import Protocol
from core.errors import JobError
from core.jobs.folder import RunFolder, runs_folder
from core.jobs.pooled import finished_runs, group_seeds, pool
from core.jobs.queue import Job, look
from core.jobs.spec import JobSpec
from core.jobs.worker import run_job
from core.records import Crystal
from core.screening import Thresholds, rank_for_dynamics
from core.store import Reader

SHIPPED_FILES = ("result.json", "path.npz")
"""What is kept of a run in a release's folder `md`; frames are too large."""


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
) -> list[JobSpec]:
    """Return the runs of a campaign: every seed of the first crystal, then of the next."""
    return [
        JobSpec(
            id=crystal.id, crystal=crystal, protocol=protocol, potential=potential, device=device, seed=seed,
            working_ion="Mg", refine_rounds=refine_rounds,
        )
        for crystal in crystals
        for seed in seeds
    ]  # fmt: skip


def run_all(specs: Sequence[JobSpec], folder: Path | None = None) -> Iterator[Job]:
    """Do the runs that are not done, one after another in this process, and yield each as it stands afterwards.

    Several processes may share a campaign: a run that another one works on is passed over.
    """
    for spec in specs:
        run = RunFolder(path=runs_folder(folder) / spec.job_id)
        run.create(spec)
        if (run.read("status.json") or {}).get("state") == "finished":
            yield look(run)
            continue
        try:
            yield run_job(run.path)
        except JobError:
            continue


def ship(runs: Sequence[Path], target: Path, *, on_copy: Callable[[Path], None] = lambda path: None) -> int:
    """Copy what is kept of finished runs to `target/ID/RUN/`, and return of how many."""
    count = 0
    for path in runs:
        run = RunFolder(path=path)
        if run.read("result.json") is None:
            continue
        kept = target / run.spec().id / run.name
        kept.mkdir(parents=True, exist_ok=True)
        for name in SHIPPED_FILES:
            if (path / name).is_file():
                shutil.copyfile(path / name, kept / name)
        on_copy(kept)
        count += 1
    return count


def ship_pooled(runs: Sequence[Path], target: Path) -> list[Path]:
    """Write the pooled seeds of finished runs to `target/ID/POOLED_RUN.json` and return the files.

    The frames that pooling needs are not shipped, and a structure that is no candidate has no place in the release.
    """
    written = []
    for group in group_seeds(finished_runs(runs)):
        record = pool(group)
        path = target / record.id / f"{record.run_id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(record) | {"formula": group[0].spec.crystal.formula}, indent=1)
        path.write_text(text + "\n", encoding="utf-8")
        written.append(path)
    return written
