"""An average voltage by first principles, from the energies of both ends and of the metal at one level of theory.

With the ends scaled to the same host, n ions of charge z between them and energies E of density-functional theory,

    V = [E(charged) + n E(metal) - E(discharged)] / (n z)

without dispersion and with it. Materials Project's labels hold no dispersion.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar, Final

from core.calculations.base import Context, CrystalSpec, Figure, Result, Spec, Stopped
from core.calculations.kinds.dft_metal import DFT_PACKAGES, DftMetalResult, DftMetalSpec
from core.calculations.kinds.relaxation import RelaxationResult, RelaxationSpec
from core.dft import Level, NotSettledError, Point, calculate, engine_words, needed, primitive, starts
from core.errors import CalculationError, DftError, NoWorkingIonError
from core.ions import charge_number
from core.potentials import potential_card
from core.provenance import Provenance, package_versions
from core.records import Crystal
from core.relaxation import host_of

ENGINES: Final = ("gpaw", "vasp")
SINGLE_POINT: Final = "DFT single point"
RELAXED: Final = "DFT relaxed"


@dataclass(frozen=True, kw_only=True, eq=False)
class DftEnd:
    """One end as it was computed, mostly in a smaller cell than it was asked for; what an engine does not tell is None.

    `n_ions`: working ions in the cell. `energy_ev`: on the engine's own scale, without dispersion. `moments_mu_b`: near
    each atom. `start`: the moments that it began with; where several were tried, that of the lowest energy.
    """

    crystal: Crystal
    n_ions: int
    energy_ev: float
    dispersion_ev: float | None = None
    k_grid: tuple[int, int, int] | None = None
    n_k_points: int | None = None
    start: str | None = None
    total_moment_mu_b: float | None = None
    moments_mu_b: tuple[float, ...] = ()
    force_max_ev_per_a: float | None = None
    n_iterations: int | None = None
    seconds: float | None = None
    memory_mb: float | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class DftResult(Result):
    """Voltages with their level of theory; `geometry` says where ions and cell come from.

    `voltage_d3_v` is None where the dispersion energy is not known.
    """

    kind: ClassVar[str] = "dft"

    voltage_v: float
    voltage_d3_v: float | None
    level: str
    engine: str
    geometry: str
    hubbard_u_ev: Mapping[str, float]
    discharged: DftEnd
    charged: DftEnd
    metal_ev: float
    metal_dispersion_ev: float | None

    def figures(self) -> dict[str, Figure]:
        """Return both voltages."""
        return {"dft_voltage_v": self.voltage_v, "dft_voltage_d3_v": self.voltage_d3_v}


@dataclass(frozen=True, kw_only=True, eq=False)
class DftSpec(CrystalSpec):
    """`crystal` is the discharged end; `charged` the other, None for the host as it stands.

    With a `potential` both ends are first relaxed by it, a calculation of its own, and `charged` is not asked for. An
    `engine` other than GPAW computes elsewhere: such a spec describes what `dft collect` has read.
    """

    kind: ClassVar[str] = "dft"
    title: ClassVar[str] = "First principles"
    result_type: ClassVar[type[DftResult]] = DftResult

    charged: Crystal | None = None
    potential: str | None = None
    potential_sha256: str | None = None
    level: Level = field(default_factory=Level)
    engine: str = "gpaw"
    device: str = "cpu"

    @classmethod
    def planned(
        cls, crystal: Crystal, working_ion: str = "Mg", *, level: Level | None = None, potential: str | None = None,
        charged: Crystal | None = None,
    ) -> "DftSpec":  # fmt: skip
        """Return the spec for a crystal, with a potential, where one is named, as it is now."""
        return cls(
            crystal=crystal, working_ion=working_ion, level=level or Level(), charged=charged, potential=potential,
            potential_sha256=potential_card(potential).sha256 if potential else None,
        )  # fmt: skip

    def check(self) -> None:
        """Raise what says why this could never run here: no ions, no host, no GPAW, two geometries asked for."""
        super().check()
        charge_number(self.working_ion)
        if self.engine != "gpaw":
            raise CalculationError(
                f"Computed by {self.engine}, not here: `dft prepare` writes its inputs, `dft collect` reads it back."
            )
        needed("gpaw")
        needed("dftd3")
        if self.crystal.count(self.working_ion) == 0:
            raise NoWorkingIonError(self.crystal.formula, self.working_ion)
        if self.crystal.count(self.working_ion) == self.crystal.n_sites:
            raise DftError(
                f"{self.crystal.formula} has no host beside its {self.working_ion}; give a compound."
            )
        if self.charged is not None and self.potential is not None:
            raise CalculationError(
                "A charged crystal and a potential that would relax one are both given; leave one of them out."
            )

    @property
    def label(self) -> str:
        """Engine and cutoff."""
        return f"dft-{self.engine}-{self.level.ecut_ev:g}eV"

    def settings(self) -> dict[str, Figure]:
        """Return the potential of the geometry, and the engine as a protocol."""
        return {"potential": self.potential, "protocol": f"{self.engine}, {self.level.ecut_ev:g} eV"}

    def needs(self) -> Sequence[Spec]:
        """Return the metal at this level and, with a potential, both ends relaxed by it."""
        if self.engine != "gpaw":
            return ()
        relaxation = self._relaxation()
        return (self._metal(), *(() if relaxation is None else (relaxation,)))

    def run(self, context: Context) -> DftResult:
        """Calculate one end after another, each kept in the folder once it is done."""
        metal = context.needed(self._metal())[0]
        if not isinstance(metal, DftMetalResult):
            raise CalculationError(
                f"{self._metal().name} is no energy of a metal; remove it and run this again."
            )
        discharged, charged, geometry = self._ends(context)
        work = _Work(self, context)
        return assemble(
            work.end("discharged", discharged), work.end("charged", charged),
            working_ion=self.working_ion, metal_ev=metal.energy_ev, metal_dispersion_ev=metal.dispersion_ev,
            level=self.level.words(self.crystal.species, engine_words()), engine=engine_words(), geometry=geometry,
            is_relaxed=self.level.relax, hubbard_u_ev=self.level.hubbard_u_ev(self.crystal.species),
            provenance=Provenance(
                kind=self.kind, model_name=engine_words(), seed=self.seed, versions=package_versions(DFT_PACKAGES)
            ),
        )  # fmt: skip

    def _metal(self) -> DftMetalSpec:
        return DftMetalSpec.of(self.working_ion, self.level)

    def _relaxation(self) -> RelaxationSpec | None:
        if self.potential is None or self.potential_sha256 is None:
            return None
        return RelaxationSpec(
            crystal=self.crystal, working_ion=self.working_ion, potential=self.potential,
            potential_sha256=self.potential_sha256,
        )  # fmt: skip

    def _ends(self, context: Context) -> tuple[Crystal, Crystal, str]:
        """Both crystals and where their geometry comes from."""
        spec = self._relaxation()
        if spec is not None:
            relaxed = context.needed(spec)[0]
            if not isinstance(relaxed, RelaxationResult):
                raise CalculationError(f"{spec.name} holds no relaxed ends; remove it and run this again.")
            words = f"ions and cell by {self.potential}"
            return relaxed.discharged.crystal, relaxed.charged.crystal, words
        if self.charged is not None:
            return self.crystal, self.charged, "both ends as given"
        host = host_of(self.crystal, self.working_ion)
        return self.crystal, host, "as given, the host not relaxed without its ions"


def assemble(
    discharged: DftEnd, charged: DftEnd, *, working_ion: str, metal_ev: float, metal_dispersion_ev: float | None,
    level: str, engine: str, geometry: str, is_relaxed: bool, hubbard_u_ev: Mapping[str, float], provenance: Provenance,
) -> DftResult:  # fmt: skip
    """Return the result that two ends and the metal make; raise `DftError` where they are not states of one host."""
    hosts = [end.crystal.n_sites - end.n_ions for end in (discharged, charged)]
    scale = hosts[0] / hosts[1] if hosts[1] else 0.0
    moved = discharged.n_ions - scale * charged.n_ions
    if moved <= 0 or _host(discharged, working_ion, 1.0) != _host(charged, working_ion, scale):
        raise DftError(
            f"{discharged.crystal.formula} and {charged.crystal.formula} are no two states of one host "
            f"({moved:g} {working_ion} between them); give both ends of one electrode."
        )
    electrons = moved * charge_number(working_ion)
    bare_v = (scale * charged.energy_ev + moved * metal_ev - discharged.energy_ev) / electrons
    d3_v = None
    if None not in (discharged.dispersion_ev, charged.dispersion_ev, metal_dispersion_ev):
        d3_v = bare_v + (
            scale * (charged.dispersion_ev or 0.0) + moved * (metal_dispersion_ev or 0.0)
            - (discharged.dispersion_ev or 0.0)
        ) / electrons  # fmt: skip
    with_d3 = "" if d3_v is None else f", {d3_v:.2f} V with D3"
    return DftResult(
        verdict=RELAXED if is_relaxed else SINGLE_POINT, reason=f"{bare_v:.2f} V{with_d3}; geometry: {geometry}.",
        notes=tuple(end.note for end in (discharged, charged) if end.note), voltage_v=bare_v, voltage_d3_v=d3_v,
        level=level, engine=engine, geometry=geometry, hubbard_u_ev=dict(hubbard_u_ev), discharged=discharged,
        charged=charged, metal_ev=metal_ev, metal_dispersion_ev=metal_dispersion_ev, provenance=provenance,
    )  # fmt: skip


def _host(end: DftEnd, working_ion: str, scale: float) -> dict[str, float]:
    """How many atoms of each element but the working ion there are, in cells of the discharged end."""
    elements = set(end.crystal.species) - {working_ion}
    return {symbol: round(scale * end.crystal.count(symbol), 6) for symbol in elements}


class _Work:
    """Calculates the ends of one spec, every start of the moments kept in the run's folder, and tells how far it is."""

    def __init__(self, spec: DftSpec, context: Context) -> None:
        self.spec, self.context = spec, context
        self._ends_done = 0
        self._step = 0
        self._began = time.monotonic()

    def end(self, name: str, crystal: Crystal) -> DftEnd:
        """Calculate one end with all its starts, and return that of the lowest energy.

        A start from which the electrons do not settle is left out and told, as long as another one settles. Only where
        none does is GPAW's mixer given up for a gentler one, which takes several times as long.
        """
        cell = primitive(crystal)
        tried = starts(cell, self.spec.level.spin)
        points, failed = self._points(name, cell, tried, gentle=False)
        if not points:
            points, failed = self._points(name, cell, tried, gentle=True)
        if not points:
            raise failed[-1][1]
        self._ends_done += 1
        best = min(points, key=lambda point: point.energy_ev)
        left_out = [f"From {start}-spin moments the {name} end did not settle." for start, _ in failed]
        values = {it.name: getattr(best, it.name) for it in fields(Point)}
        values["note"] = " ".join([best.note, *self._compared(name, points), *left_out]).strip()
        values["seconds"] = sum(point.seconds for point in points)
        return DftEnd(**values, n_ions=best.crystal.count(self.spec.working_ion))

    def _points(
        self, name: str, cell: Crystal, tried: Mapping[str, Sequence[float]], *, gentle: bool
    ) -> tuple[list[Point], list[tuple[str, NotSettledError]]]:
        points: list[Point] = []
        failed: list[tuple[str, NotSettledError]] = []
        for index, (start, moments) in enumerate(tried.items()):
            try:
                points.append(
                    self._point(
                        f"{name}-{start}", cell, start, moments, index / len(tried), 1 / len(tried), gentle
                    )
                )
            except NotSettledError as error:
                failed.append((start, error))
        return points, failed

    def _compared(self, name: str, points: Sequence[Point]) -> list[str]:
        if len(points) == 1:
            return []
        best, other = sorted(points, key=lambda point: point.energy_ev)[:2]
        gap_ev = other.energy_ev - best.energy_ev
        return [
            f"The {name} end is lower by {gap_ev:.3f} eV from {best.start}-spin moments than from {other.start}."
        ]

    def _point(
        self, name: str, cell: Crystal, start: str, moments: Sequence[float], done: float, share: float, gentle: bool
    ) -> Point:  # fmt: skip
        if (kept := self.context.kept(name, Point)) is not None:
            return kept
        self.context.say(f"{name} spin, {cell.n_sites} atoms")

        def after(number: int, energy_ev: float, part: float) -> None:
            self._report((self._ends_done + done + share * part) / 2, energy_ev)

        point = calculate(
            cell, self.spec.level, start=start, moments_mu_b=moments, log=self.context.folder / f"{name}.txt",
            on_iteration=after, gentle=gentle,
        )  # fmt: skip
        self.context.keep(name, point)
        return point

    def _report(self, fraction: float, energy_ev: float) -> None:
        self._step += 1
        seconds = time.monotonic() - self._began
        eta_s = seconds * (1 - fraction) / fraction if fraction > 0.02 else None
        self.context.report(
            {"step": self._step, "fraction": fraction, "eta_s": eta_s, "energy_ev": energy_ev}
        )
        if self.context.should_stop():
            raise Stopped


SPEC: Final = DftSpec
