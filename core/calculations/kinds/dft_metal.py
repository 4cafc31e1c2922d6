"""The energy of an atom of the working ion's metal, once for all voltages of one level of theory."""

from dataclasses import dataclass, field
from typing import ClassVar, Final

from core.artifacts import write_json
from core.calculations.base import Context, CrystalSpec, Result, Stopped
from core.codec import to_json
from core.dft import Level, calculate, engine_words, metal_crystal, metal_level, needed, starts
from core.ions import charge_number
from core.provenance import Provenance, package_versions

DFT_PACKAGES: Final = ("gpaw", "gpaw-data", "dftd3", "ase", "numpy", "spglib")


@dataclass(frozen=True, kw_only=True, eq=False)
class DftMetalResult(Result):
    """Energies of an atom, electrons and dispersion apart."""

    kind: ClassVar[str] = "dft-metal"

    energy_ev: float
    dispersion_ev: float
    level: str
    k_grid: tuple[int, int, int]
    seconds: float


@dataclass(frozen=True, kw_only=True, eq=False)
class DftMetalSpec(CrystalSpec):
    """The metal at a level of theory; make it with `of`."""

    kind: ClassVar[str] = "dft-metal"
    title: ClassVar[str] = "First principles of the metal"
    result_type: ClassVar[type[DftMetalResult]] = DftMetalResult

    level: Level = field(default_factory=Level)
    device: str = "cpu"

    @classmethod
    def of(cls, working_ion: str, level: Level) -> "DftMetalSpec":
        """Return the spec that belongs to a compound's level; raise `UnknownIonError`."""
        return cls(crystal=metal_crystal(working_ion), working_ion=working_ion, level=metal_level(level))

    @property
    def label(self) -> str:
        """The cutoff."""
        return f"dft-{self.level.ecut_ev:g}eV"

    def check(self) -> None:
        """Raise `DftError` where GPAW is absent, `UnknownIonError` for an ion that is none."""
        super().check()
        charge_number(self.working_ion)
        needed("gpaw")
        needed("dftd3")

    def run(self, context: Context) -> DftMetalResult:
        """Calculate it, in well under a minute."""
        context.say(f"the metal of {self.working_ion}")

        def after(number: int, energy_ev: float, share: float) -> None:
            context.report({"step": number, "fraction": share, "eta_s": None, "energy_ev": energy_ev})
            if context.should_stop():
                raise Stopped

        ((start, moments),) = starts(self.crystal, self.level.spin).items()
        point = calculate(
            self.crystal, self.level, start=start, moments_mu_b=moments, log=context.folder / "metal.txt",
            on_iteration=after,
        )  # fmt: skip
        write_json(context.folder / "metal.json", to_json(point))
        n = self.crystal.n_sites
        return DftMetalResult(
            verdict="calculated", reason=f"{point.energy_ev / n:.4f} eV an atom.", energy_ev=point.energy_ev / n,
            dispersion_ev=point.dispersion_ev / n, level=self.level.words(self.crystal.species, engine_words()),
            k_grid=point.k_grid, seconds=point.seconds,
            provenance=Provenance(
                kind=self.kind, model_name=engine_words(), seed=self.seed, versions=package_versions(DFT_PACKAGES)
            ),
        )  # fmt: skip


SPEC: Final = DftMetalSpec
