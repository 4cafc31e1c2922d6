"""Several runs of one material as one result: seeds pooled for the release, temperatures joined for a barrier."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from core.dynamics import read_trajectory
from core.errors import JobError
from core.jobs.analysis import conduct, to_trajectory
from core.jobs.folder import RunFolder
from core.jobs.spec import JobSpec
from core.provenance import Provenance
from core.records import CONFIDENCE, Conductivity
from core.transport import Arrhenius, Diffusivity, IonicConductivity, Trajectory, arrhenius, measure

_UNUSABLE = ("framework melted", "aborted")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FinishedRun:
    """A finished run: what was asked, what came out, where its frames are."""

    path: Path
    spec: JobSpec
    result: dict[str, Any]

    @property
    def verdict(self) -> str:
        """How it ended."""
        return str(self.result["verdict"])


def finished_runs(folders: Sequence[Path]) -> list[FinishedRun]:
    """Return the runs of these folders; raise `JobError` for one without result, `RunFileError` for damaged files."""
    return [_finished(RunFolder(path=path)) for path in folders]


def pool_runs(folders: Sequence[Path]) -> Conductivity:
    """Return one conductivity from the seeds of one measurement, all through one fit of their pooled displacements.

    Runs that broke are left out, and the pooled verdict is theirs where none is left; one melted framework melts the
    pool. `n_seeds` and `simulated_ps` count the runs that were used. Raises `JobError` for runs that differ in more
    than their seed, are given twice or have no result, and `TransportError` for runs of unequal length.
    """
    return pool(finished_runs(folders))


def pool(runs: Sequence[FinishedRun]) -> Conductivity:
    """Return one conductivity from runs that were read already; see `pool_runs`."""
    _check_alike(runs)
    melted = [run for run in runs if run.verdict == "framework melted"]
    used = melted or [run for run in runs if run.verdict not in _UNUSABLE] or list(runs)
    doubtful = any(run.verdict == "out of domain" for run in used)
    if used[0].verdict in _UNUSABLE:
        return _record(used, used[0].verdict)
    if doubtful:
        return _record(used, "out of domain")
    found, sigma = _measured(used)
    return _record(used, found.verdict, found, sigma)


def provenance_of(runs: Sequence[FinishedRun]) -> Provenance:
    """Return who computed the pooled result: its data are the runs; the seed stands where there is one run alone."""
    first = runs[0].result["provenance"]
    return Provenance(
        kind="mlmd", model_name=first["model_name"], model_sha256=first["model_sha256"],
        data_sha256=_digest_of(runs), device=first["device"], seed=runs[0].spec.seed if len(runs) == 1 else None,
        versions=first["versions"], code_version=first["code_version"], machine=first["machine"],
    )  # fmt: skip


def barrier(folders: Sequence[Path], *, confidence: float = CONFIDENCE) -> Arrhenius:
    """Return the Arrhenius fit through runs of one material at several temperatures, the seeds of each pooled.

    Only diffusive temperatures count. Raises `TooFewTemperaturesError` where fewer than three are, and `JobError` for
    runs of different materials, potentials or ions.
    """
    runs = finished_runs(folders)
    specs = [run.spec for run in runs]
    kinds = {(spec.id, spec.potential, spec.refine_rounds, spec.working_ion) for spec in specs}
    if len(kinds) > 1:
        raise JobError(f"{len(kinds)} different materials, potentials or ions; a barrier belongs to one.")
    points = []
    for group in group_seeds(runs):
        if pool(group).verdict == "diffusive":
            points.append((group[0].spec.protocol.temperature_k, _measured(group)[0]))
    return arrhenius(
        [temperature_k for temperature_k, _ in points],
        [found.d_cm2_per_s or 0.0 for _, found in points],
        [found.d_std_cm2_per_s or 0.0 for _, found in points],
        confidence=confidence,
    )


def group_seeds(runs: Sequence[FinishedRun]) -> list[list[FinishedRun]]:
    """Return the runs in groups that differ in nothing but their seed, in order of first appearance."""
    groups: dict[str, dict[int, FinishedRun]] = {}
    for run in runs:
        groups.setdefault(run.spec.material_key, {}).setdefault(run.spec.seed, run)
    return [list(group.values()) for group in groups.values()]


def _finished(folder: RunFolder) -> FinishedRun:
    result = folder.read("result.json")
    if result is None:
        raise JobError(f"Run {folder.name} has no result yet; wait for it, or go on with `mlmd resume`.")
    return FinishedRun(path=folder.path, spec=folder.spec(), result=result)


def _check_alike(runs: Sequence[FinishedRun]) -> None:
    seeds = [run.spec.seed for run in runs]
    if not runs or len({run.spec.material_key for run in runs}) > 1:
        raise JobError(f"{len(runs)} runs of different kinds; pool runs that differ in their seed alone.")
    if len(set(seeds)) != len(seeds):
        raise JobError(f"Seeds {seeds}: one is given twice, and would count as two witnesses.")


def _measured(runs: Sequence[FinishedRun]) -> tuple[Diffusivity, IonicConductivity]:
    spec = runs[0].spec
    trajectories: list[Trajectory] = [to_trajectory(read_trajectory(run.path)) for run in runs]
    found = measure(trajectories, spec.working_ion, confidence=CONFIDENCE)
    return found, conduct(found, trajectories, spec.working_ion, spec.protocol.temperature_k)


def _record(
    runs: Sequence[FinishedRun], verdict: str, found: Diffusivity | None = None, sigma: IonicConductivity | None = None
) -> Conductivity:  # fmt: skip
    spec, results = runs[0].spec, [run.result for run in runs]
    return Conductivity(
        run_id=_run_id(runs), id=spec.id, working_ion=spec.working_ion, potential=spec.potential_name,
        protocol=spec.protocol.name, temperature_k=spec.protocol.temperature_k, n_atoms=results[0]["n_atoms"],
        n_working_ions=results[0]["n_mg"], n_seeds=len(runs), verdict=verdict,
        simulated_ps=float(sum(result["simulated_ps"] for result in results)),
        created=datetime.now(UTC).isoformat(timespec="seconds"), **_figures(found, sigma),
        teacher_force_mae_ev_per_a=_mean(result["teacher_force_mae_ev_per_a"] for result in results),
        atom_steps_per_s=_mean(result["atom_steps_per_s"] for result in results),
    )  # fmt: skip


def _figures(found: Diffusivity | None, sigma: IonicConductivity | None) -> dict[str, float | None]:
    if found is None or sigma is None:
        return {}
    return {
        "d_cm2_per_s": found.d_cm2_per_s, "d_low_cm2_per_s": found.d_low_cm2_per_s,
        "d_high_cm2_per_s": found.d_high_cm2_per_s, "sigma_ms_per_cm": sigma.sigma_ms_per_cm,
        "sigma_low_ms_per_cm": sigma.sigma_low_ms_per_cm, "sigma_high_ms_per_cm": sigma.sigma_high_ms_per_cm,
    }  # fmt: skip


def _run_id(runs: Sequence[FinishedRun]) -> str:
    """Name of the pool: the first run's prefix without its seed, and a hash of all runs that are in it."""
    prefix = min(run.path.name for run in runs).rsplit("-s", 1)[0]
    return f"{prefix}-n{len(runs)}-{_digest_of(runs)[:10]}"


def _digest_of(runs: Sequence[FinishedRun]) -> str:
    """Hash of the runs' names, which are hashes of what was asked."""
    return hashlib.sha256(" ".join(sorted(run.path.name for run in runs)).encode()).hexdigest()


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
