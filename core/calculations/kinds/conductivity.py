"""Several runs of one material as one result: the seeds of a measurement, pooled into a conductivity."""

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np
from scipy.stats import norm

from core.calculations.base import Calculation, DerivedSpec, Figure, Result, now
from core.calculations.kinds.diffusion.displacements import read_displacements
from core.calculations.kinds.diffusion.result import DiffusionResult
from core.calculations.kinds.diffusion.spec import DiffusionSpec
from core.errors import CalculationError, TransportError
from core.ions import charge_number
from core.provenance import Provenance
from core.records import CONFIDENCE, Conductivity, Skipped
from core.transport import Arrhenius, Diffusivity, IonicConductivity, arrhenius, conductivity, diffusivity
from core.transport.msd import pool as side_by_side

_UNUSABLE: Final = ("framework melted", "aborted")


@dataclass(frozen=True, kw_only=True, eq=False)
class ConductivityResult(Conductivity, Result):
    """The pooled figures, those of the record `Conductivity`, with the formula for lists."""

    kind: ClassVar[str] = "conductivity"

    formula: str
    created: str = field(default_factory=now)

    def figures(self) -> dict[str, Figure]:
        """Return diffusivity and conductivity with the upper end of its interval."""
        return {
            "d_cm2_per_s": self.d_cm2_per_s, "sigma_ms_per_cm": self.sigma_ms_per_cm,
            "sigma_high_ms_per_cm": self.sigma_high_ms_per_cm,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class ConductivitySpec(DerivedSpec):
    """`runs`: the names, which are hashes of what was asked, of the runs that are pooled."""

    kind: ClassVar[str] = "conductivity"
    title: ClassVar[str] = "Conductivity of pooled seeds"
    result_type: ClassVar[type[ConductivityResult]] = ConductivityResult

    comes_about: ClassVar[str] = (
        "Seeds are pooled when their runs are merged (`runs merge`), not in a run of their own."
    )

    prefix_of_runs: str
    runs: tuple[str, ...]

    @property
    def name(self) -> str:
        """The first run's name without its seed, how many there are, and a hash of all their names."""
        return f"{self.prefix_of_runs}-n{len(self.runs)}-{self.runs_sha256[:10]}"

    @property
    def runs_sha256(self) -> str:
        """Hash of the runs' names."""
        return sha256_of_names(self.runs)

    def made_of(self) -> Sequence[str]:
        """Return the runs' names."""
        return self.runs

    @classmethod
    def derived(cls, finished: Sequence[Calculation]) -> tuple[list[Calculation], list[Skipped]]:
        """Return one conductivity for each measurement among finished runs, its seeds pooled, and those left out."""
        pooled, left_out = [], []
        for group in group_seeds(finished):
            try:
                pooled.append(pool(group))
            except TransportError as error:
                left_out.append(Skipped(id=group[0].spec.subject.id, reason=str(error)))
        return pooled, left_out


def pool(runs: Sequence[Calculation]) -> Calculation:
    """Return one conductivity from the seeds of one measurement, by one fit of their displacements side by side.

    Runs that broke are left out, and the pooled verdict is theirs where none is left; one melted framework melts the
    pool. `n_seeds` and `simulated_ps` count the runs that were used. Raises `CalculationError` for runs that differ in
    more than their seed or are given twice, `TransportError` for runs of unequal length or without displacements.
    """
    _check_alike(runs)
    melted = [run for run in runs if run.result.verdict == "framework melted"]
    used = melted or [run for run in runs if run.result.verdict not in _UNUSABLE] or list(runs)
    verdict = used[0].result.verdict
    if verdict in _UNUSABLE:
        return _calculation(used, verdict)
    if any(run.result.verdict == "out of domain" for run in used):
        return _calculation(used, "out of domain")
    measured, sigma = _measured(used)
    return _calculation(used, measured.verdict, measured, sigma)


def group_seeds(runs: Sequence[Calculation]) -> list[list[Calculation]]:
    """Return the molecular dynamics runs in groups that differ in nothing but their seed, in order of appearance."""
    groups: dict[str, dict[int, Calculation]] = {}
    for run in runs:
        if isinstance(run.spec, DiffusionSpec):
            groups.setdefault(run.spec.measurement_key, {}).setdefault(run.spec.seed, run)
    return [list(group.values()) for group in groups.values()]


def barrier(conductivities: Iterable[Conductivity], *, confidence: float = CONFIDENCE) -> Arrhenius:
    """Return the Arrhenius fit through the diffusive ones of one material's conductivities at several temperatures.

    The error of D is that of its interval, taken on a logarithm: D ln(high / low) / (2 z). Raises
    `TooFewTemperaturesError` where fewer than three temperatures are diffusive.
    """
    points = [it for it in conductivities if it.verdict == "diffusive" and it.d_cm2_per_s]
    return arrhenius(
        [it.temperature_k for it in points],
        [it.d_cm2_per_s or 0.0 for it in points],
        [_std_of_interval(it) for it in points],
        confidence=confidence,
    )


def _std_of_interval(it: Conductivity) -> float:
    """Half of an interval in standard deviations; one that reaches zero has its upper half alone."""
    d, low, high = it.d_cm2_per_s or 0.0, it.d_low_cm2_per_s or 0.0, it.d_high_cm2_per_s or 0.0
    z = float(norm.ppf(0.5 + CONFIDENCE / 2))
    return d * math.log(high / low) / (2 * z) if low > 0 else (high - d) / z


def sha256_of_names(names: Iterable[str]) -> str:
    """Return the hash of a set of run names, whatever their order."""
    return hashlib.sha256(" ".join(sorted(names)).encode()).hexdigest()


def _spec(run: Calculation) -> DiffusionSpec:
    if not isinstance(run.spec, DiffusionSpec):
        raise CalculationError(
            f"{run.name} is a {run.spec.title.lower()}; molecular dynamics runs are pooled."
        )
    return run.spec


def _result(run: Calculation) -> DiffusionResult:
    if not isinstance(run.result, DiffusionResult):
        raise CalculationError(f"{run.name} has no result of molecular dynamics.")
    return run.result


def _check_alike(runs: Sequence[Calculation]) -> None:
    specs = [_spec(run) for run in runs]
    if not specs or len({spec.measurement_key for spec in specs}) > 1:
        raise CalculationError(
            f"{len(runs)} runs of different kinds; pool runs that differ in their seed alone."
        )
    seeds = [spec.seed for spec in specs]
    if len(set(seeds)) != len(seeds):
        raise CalculationError(f"Seeds {seeds}: one is given twice, and would count as two witnesses.")


def _measured(runs: Sequence[Calculation]) -> tuple[Diffusivity, IonicConductivity]:
    """Each run's own framework was judged when it ended: what is pooled here has kept its sites."""
    kept = [(run, read_displacements(run.read_file)) for run in runs]
    missing = [run.name for run, msd in kept if msd is None]
    if missing:
        raise TransportError(
            f"The displacements of {', '.join(missing)} were not kept, so that its seeds cannot be pooled anew. Run it "
            "again."
        )
    measured = diffusivity(side_by_side([msd for _, msd in kept if msd is not None]), confidence=CONFIDENCE)
    spec, results = _spec(runs[0]), [_result(run) for run in runs]
    sigma = conductivity(
        measured, n_ions=results[0].n_working_ions, charge_number=charge_number(spec.working_ion),
        volume_a3=float(np.mean([result.volume_a3 or 0.0 for result in results])),
        temperature_k=spec.protocol.temperature_k,
    )  # fmt: skip
    return measured, sigma


def _calculation(
    runs: Sequence[Calculation], verdict: str, measured: Diffusivity | None = None,
    sigma: IonicConductivity | None = None,
) -> Calculation:  # fmt: skip
    asked, results = _spec(runs[0]), [_result(run) for run in runs]
    names = tuple(sorted(run.name for run in runs))
    spec = ConductivitySpec(
        id=asked.crystal.id, formula=asked.crystal.formula, working_ion=asked.working_ion, runs=names,
        prefix_of_runs=names[0].rsplit("-s", 1)[0],
    )  # fmt: skip
    reason = (
        f"{len(runs)} seeds pooled." if measured is None else f"{len(runs)} seeds pooled. {measured.reason}"
    )
    result = ConductivityResult(
        run_id=spec.name, id=spec.id, formula=spec.formula, working_ion=spec.working_ion,
        potential=asked.potential_name, protocol=asked.protocol.name, temperature_k=asked.protocol.temperature_k,
        n_atoms=results[0].n_atoms, n_working_ions=results[0].n_working_ions, n_seeds=len(runs), verdict=verdict,
        reason=reason, simulated_ps=float(sum(result.simulated_ps for result in results)),
        **_figures(measured, sigma), provenance=_provenance(runs),
        teacher_force_mae_ev_per_a=_mean(result.teacher_force_mae_ev_per_a for result in results),
        atom_steps_per_s=_mean(result.atom_steps_per_s for result in results),
    )  # fmt: skip
    return Calculation(name=spec.name, spec=spec, result=result, read_file=lambda name: None)


def _provenance(runs: Sequence[Calculation]) -> Provenance:
    """Who computed the pooled result: its data are the runs; the seed stands where there is one run alone."""
    first = runs[0].result.provenance
    return Provenance(
        kind="mlmd", model_name=first.model_name, model_sha256=first.model_sha256,
        data_sha256=sha256_of_names(run.name for run in runs), device=first.device,
        seed=_spec(runs[0]).seed if len(runs) == 1 else None, versions=first.versions,
        code_version=first.code_version, machine=first.machine,
    )  # fmt: skip


def _figures(measured: Diffusivity | None, sigma: IonicConductivity | None) -> dict[str, Any]:
    if measured is None or sigma is None:
        return {}
    return {
        "d_cm2_per_s": measured.d_cm2_per_s, "d_low_cm2_per_s": measured.d_low_cm2_per_s,
        "d_high_cm2_per_s": measured.d_high_cm2_per_s, "sigma_ms_per_cm": sigma.sigma_ms_per_cm,
        "sigma_low_ms_per_cm": sigma.sigma_low_ms_per_cm, "sigma_high_ms_per_cm": sigma.sigma_high_ms_per_cm,
    }  # fmt: skip


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


SPEC: Final = ConductivitySpec
