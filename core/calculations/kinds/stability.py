"""How far the ends of charging lie above the hull, and insertion against conversion: what follows from relaxed ends."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

from core.calculations.base import Calculation, Context, Figure, Result, Spec, Subject
from core.calculations.kinds.relaxation import NOT_CONVERGED, End, RelaxationResult, RelaxationSpec
from core.errors import CalculationError, ExplorerError
from core.potentials import potential_card
from core.provenance import Provenance, sha256_of_files
from core.records import Skipped
from core.stability import Product, Stability, assess, hull_folder


@dataclass(frozen=True, kw_only=True, eq=False)
class StabilityResult(Result):
    """Energies above the hull (eV/atom) and voltages (V) of insertion and conversion; see `core.stability`.

    `*_std_*` is None for a value that the source states. `redox_*` is the end that the redox metals can pay for, None
    where the relaxation has none; the verdict and the voltages are then between it and the discharged end.
    `conversion_voltage_v`: below it the discharged host with more metal becomes `conversion_products`.
    """

    kind: ClassVar[str] = "stability"

    potential: str
    charged_e_above_hull_ev_per_atom: float
    charged_e_above_hull_std_ev_per_atom: float
    charged_products: tuple[Product, ...]
    redox_e_above_hull_ev_per_atom: float | None
    redox_e_above_hull_std_ev_per_atom: float | None
    redox_products: tuple[Product, ...]
    discharged_e_above_hull_ev_per_atom: float
    discharged_e_above_hull_std_ev_per_atom: float | None
    discharged_by_potential_ev_per_atom: float
    discharged_products: tuple[Product, ...]
    insertion_voltage_v: float
    conversion_voltage_v: float
    conversion_products: tuple[Product, ...]
    full_conversion_voltage_v: float
    insertion_window_v: float

    def figures(self) -> dict[str, Figure]:
        """Return both ends' energies above the hull with their errors, conversion voltage and window.

        The charged end is the one that the redox metals can pay for.
        """
        redox = self.redox_e_above_hull_ev_per_atom is not None
        charged = self.redox_e_above_hull_ev_per_atom if redox else self.charged_e_above_hull_ev_per_atom
        std = self.redox_e_above_hull_std_ev_per_atom if redox else self.charged_e_above_hull_std_ev_per_atom
        return {
            "charged_e_above_hull_ev_per_atom": charged,
            "charged_e_above_hull_std_ev_per_atom": std,
            "discharged_e_above_hull_ev_per_atom": self.discharged_e_above_hull_ev_per_atom,
            "discharged_e_above_hull_std_ev_per_atom": self.discharged_e_above_hull_std_ev_per_atom,
            "conversion_voltage_v": self.conversion_voltage_v,
            "insertion_window_v": self.insertion_window_v,
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class StabilitySpec(Spec):
    """`relaxation`: name of the relaxation, which is a hash of what was asked; `hull_sha256`: of phases and fit."""

    kind: ClassVar[str] = "stability"
    title: ClassVar[str] = "Stability of the ends"
    result_type: ClassVar[type[StabilityResult]] = StabilityResult

    id: str
    formula: str
    working_ion: str
    relaxation: str
    hull_sha256: str
    device: str = "cpu"

    @property
    def subject(self) -> Subject:
        """The crystal that was relaxed."""
        return Subject(id=self.id, formula=self.formula, working_ion=self.working_ion)

    @property
    def name(self) -> str:
        """The relaxation's name, and a hash of what it was judged by."""
        about = hashlib.sha256(f"{self.relaxation} {self.hull_sha256}".encode()).hexdigest()
        return f"{self.relaxation}-stability-{about[:10]}"

    def made_of(self) -> Sequence[str]:
        """Return the relaxation's name."""
        return (self.relaxation,)

    def run(self, context: Context) -> StabilityResult:
        """It takes no work of its own: `derived` does it when runs are merged."""
        raise CalculationError(
            "Stability follows from relaxed ends when they are merged (`runs merge`), not in a run of its own."
        )

    @classmethod
    def derived(cls, finished: Sequence[Calculation]) -> tuple[list[Calculation], list[Skipped]]:
        """Return the stability of each relaxation among finished ones, and those that can't be judged, with reasons."""
        found, left_out = [], []
        for calculation in finished:
            if isinstance(calculation.spec, RelaxationSpec):
                try:
                    found.append(judge(calculation))
                except ExplorerError as error:
                    left_out.append(Skipped(id=calculation.spec.subject.id, reason=str(error)))
        return found, left_out


def judge(relaxation: Calculation) -> Calculation:
    """Return the stability of one finished relaxation, some 20 ms.

    Raises `CalculationError` for a calculation of another kind, and as `core.stability.assess` does.
    """
    spec, result = relaxation.spec, relaxation.result
    if not (isinstance(spec, RelaxationSpec) and isinstance(result, RelaxationResult)):
        raise CalculationError(f"{relaxation.name} is a {spec.title.lower()}; give relaxed ends.")
    asked = StabilitySpec(
        id=spec.crystal.id, formula=spec.crystal.formula, working_ion=spec.working_ion,
        relaxation=relaxation.name, hull_sha256=_shipped_sha256(),
    )  # fmt: skip
    stated = spec.crystal.e_above_hull_ev_per_atom
    answer = stability_of(result, spec.working_ion, stated_e_above_hull_ev_per_atom=stated)
    return Calculation(name=asked.name, spec=asked, result=answer, read_file=lambda name: None)


def stability_of(
    relaxed: RelaxationResult, working_ion: str, *, stated_e_above_hull_ev_per_atom: float | None = None
) -> StabilityResult:
    """Return the stability of relaxed ends, whoever asked for them; raise as `core.stability.assess` does."""
    all_out = _assess(relaxed, relaxed.charged, working_ion, stated_e_above_hull_ev_per_atom)
    part_out = relaxed.redox and _assess(relaxed, relaxed.redox, working_ion, stated_e_above_hull_ev_per_atom)
    judged = part_out or all_out
    up_to = (
        f" Judged up to {part_out.charged.formula}, which the redox metals can pay for." if part_out else ""
    )
    redox = part_out.charged if part_out else None
    return StabilityResult(
        verdict=judged.verdict, reason=judged.reason + up_to, notes=_notes(relaxed),
        potential=relaxed.potential,
        charged_e_above_hull_ev_per_atom=all_out.charged.e_above_hull_ev_per_atom,
        charged_e_above_hull_std_ev_per_atom=all_out.charged.std_ev_per_atom or 0.0,
        charged_products=all_out.charged.products.products,
        redox_e_above_hull_ev_per_atom=redox.e_above_hull_ev_per_atom if redox else None,
        redox_e_above_hull_std_ev_per_atom=redox.std_ev_per_atom if redox else None,
        redox_products=redox.products.products if redox else (),
        discharged_e_above_hull_ev_per_atom=all_out.discharged.e_above_hull_ev_per_atom,
        discharged_e_above_hull_std_ev_per_atom=all_out.discharged.std_ev_per_atom,
        discharged_by_potential_ev_per_atom=all_out.discharged.by_potential_ev_per_atom,
        discharged_products=all_out.discharged.products.products,
        insertion_voltage_v=judged.insertion_voltage_v, conversion_voltage_v=judged.conversion_voltage_v,
        conversion_products=judged.conversion_products.products if judged.conversion_products else (),
        full_conversion_voltage_v=judged.full_conversion_voltage_v,
        insertion_window_v=judged.insertion_window_v,
        provenance=Provenance(
            kind="stability", model_name=relaxed.potential, model_sha256=relaxed.provenance.model_sha256,
            data_sha256=_shipped_sha256(), device="cpu",
        ),
    )  # fmt: skip


def _assess(relaxed: RelaxationResult, charged: End, working_ion: str, stated: float | None) -> Stability:
    return assess(
        Counter(relaxed.discharged.crystal.species), relaxed.discharged.energy_ev,
        Counter(charged.crystal.species), charged.energy_ev, working_ion,
        energy_scale=potential_card(relaxed.potential).energy_scale, stated_e_above_hull_ev_per_atom=stated,
    )  # fmt: skip


def _notes(relaxed: RelaxationResult) -> tuple[str, ...]:
    if relaxed.verdict != NOT_CONVERGED:
        return ()
    return ("The relaxation had not come to rest, so that its energies are upper limits.",)


@lru_cache(maxsize=1)
def _shipped_sha256() -> str:
    """One hash over the shipped phases and the fit."""
    folder = hull_folder()
    return sha256_of_files([folder / "phases.csv.gz", folder / "formation.safetensors"])


SPEC: Final = StabilitySpec
