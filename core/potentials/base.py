"""The base of every potential: what it is told, what it answers, and what it refuses."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from ase import Atoms
from numpy.typing import NDArray

from core.codec import to_json
from core.errors import PotentialError, UnsupportedElementError
from core.potentials.torch_state import torch_state
from core.records import Crystal
from core.settings import resolve_device

if TYPE_CHECKING:
    from core.potentials.calculator import PotentialCalculator

Floats = NDArray[np.float64]
DTYPES: Final[dict[str, torch.dtype]] = {"float32": torch.float32, "float64": torch.float64}


def as_floats(values: torch.Tensor) -> Floats:
    """Return a tensor as a double-precision array."""
    return values.detach().cpu().numpy().astype(np.float64)


def optional_module(name: str, remedy: str) -> Any:
    """Return a module of a package that need not be there; its absence is a `PotentialError` that tells the remedy."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)
    except ImportError:
        raise PotentialError(remedy) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a potential offers beyond energy, forces and stress. Ask here; a name says nothing.

    `can_be_compiled`: `compile()` builds it for the machine. `can_be_refined`: `refine_potential` fine-tunes it for a
    material. `batched`: `evaluate_many()` takes several crystals at once. `describes`: `describe()` gives atom vectors.
    `has_magnetic_moments`: evaluations carry them.
    """

    can_be_compiled: bool = False
    can_be_refined: bool = False
    batched: bool = False
    describes: bool = False
    has_magnetic_moments: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PotentialCard:
    """What a potential was made from and how far it can be trusted.

    `teacher` names the potential that it was distilled from, None for one trained on first-principles data.
    `errors`: mean absolute errors by name with unit; `errors_of`: against what and who measured them. `source`: DOI.
    `energy_scale`: two potentials' energies may only be compared where this agrees.
    """

    name: str
    title: str
    elements: tuple[str, ...]
    cutoff_a: float
    trained_on: str
    energy_scale: str
    licence: str
    source: str
    sha256: str
    errors: Mapping[str, float] = field(default_factory=dict)
    errors_of: str = ""
    teacher: str | None = None
    capabilities: Capabilities = Capabilities()

    def to_dict(self) -> dict[str, Any]:
        """Return the card as JSON holds it."""
        return to_json(self)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """`energy_ev` of the cell; (n, 3) forces; (3, 3) stress, ASE's sign.

    None where not known: (n,) `site_energies_ev`, and (n,) `magnetic_moments_mu_b`, sizes in Bohr magnetons.
    """

    energy_ev: float
    forces_ev_per_a: Floats
    stress_ev_per_a3: Floats
    site_energies_ev: Floats | None = None
    magnetic_moments_mu_b: Floats | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Description:
    """What a potential sees in a crystal: (n,) energies of the sites and (n, d) invariant vectors of the atoms."""

    site_energies_ev: Floats
    vectors: Floats

    @property
    def energy_ev(self) -> float:
        """Energy of the cell."""
        return float(self.site_energies_ev.sum())


class Potential(ABC):
    """A loaded potential on one device in one precision; safe to call from several threads, which then take turns.

    Raises `PotentialError` for an unknown `dtype` and `DeviceError` for a device that is not there.
    """

    def __init__(self, card: PotentialCard, *, device: str = "auto", dtype: str = "float64") -> None:
        if dtype not in DTYPES:
            raise PotentialError(f"{dtype!r} is not a precision; use one of {', '.join(DTYPES)}.")
        self.card = card
        self.device = resolve_device(device)
        self.dtype = dtype
        self._known = frozenset(card.elements)
        self._torch_default = DTYPES[dtype]

    @property
    def name(self) -> str:
        """The name it is selected by."""
        return self.card.name

    @property
    def is_compiled(self) -> bool:
        """Whether it works from a build made for this machine."""
        return False

    def compile(self) -> None:
        """Build it for this machine, once, and use the build from now on; `PotentialError` where it can't be built."""
        able = self.card.capabilities.can_be_compiled
        reason = "its class does not say how" if able else "its card says so"
        raise PotentialError(f"{self.name!r} cannot be compiled ({reason}); use it as it is.")

    def require(self, species: Iterable[str]) -> None:
        """Raise `UnsupportedElementError` if any of these elements was not in the training data."""
        unknown = sorted(set(species) - self._known)
        if unknown:
            raise UnsupportedElementError(self.name, unknown, len(self._known))

    def calculator(self) -> "PotentialCalculator":
        """Return a fresh ASE calculator of this potential; several may share it."""
        from core.potentials.calculator import PotentialCalculator

        return PotentialCalculator(self)

    def evaluate(self, atoms: Atoms) -> Evaluation:
        """Return energy (eV), forces (eV/angstrom) and stress (eV/cubic angstrom, ASE's sign) of periodic atoms.

        Arrays of any layout will do. Raises `UnsupportedElementError`, and `PotentialError` for atoms that are not
        periodic in all directions or have NaN or infinity in a position or the cell.
        """
        clean = self._checked(atoms)
        with torch_state(self._torch_default):
            return self._evaluate(clean)

    def evaluate_many(self, many: Sequence[Atoms]) -> list[Evaluation]:
        """Return `evaluate` of each; a potential that can do several at once overrides this."""
        return [self.evaluate(atoms) for atoms in many]

    def describe(self, crystal: Crystal) -> Description:
        """Return site energies and atom vectors of a crystal, without gradients; not every potential offers it."""
        atoms = crystal.to_ase()
        clean = self._checked(atoms)
        with torch_state(self._torch_default), torch.no_grad():
            return self._describe(clean)

    @abstractmethod
    def _evaluate(self, atoms: Atoms) -> Evaluation:
        """Evaluate atoms that were checked, under the potential's own default type."""

    def _describe(self, atoms: Atoms) -> Description:
        raise PotentialError(
            f"{self.name!r} offers no atom vectors; take a potential whose card says that it describes, as the default "
            "one does."
        )

    def _checked(self, atoms: Atoms) -> Atoms:
        """A bare copy in contiguous float64: no calculator, no constraints, no views of somebody else's arrays."""
        self.require(atoms.get_chemical_symbols())
        positions = np.array(atoms.positions, dtype=np.float64, order="C")
        cell = np.array(atoms.cell.array, dtype=np.float64, order="C")
        if not (np.isfinite(positions).all() and np.isfinite(cell).all()):
            raise PotentialError(
                f"{atoms.get_chemical_formula()}: positions or cell hold NaN or infinity. The simulation broke before "
                "this point: go back to its last sound frame, or use a shorter time step."
            )
        if not (atoms.pbc.all() and abs(np.linalg.det(cell)) > 1e-3):
            raise PotentialError(
                f"{atoms.get_chemical_formula()}: periodic directions {atoms.pbc.tolist()}, volume "
                f"{abs(np.linalg.det(cell)):.3g} cubic angstrom; a crystal with a cell periodic in all three is needed."
            )
        return Atoms(numbers=np.array(atoms.numbers), positions=positions, cell=cell, pbc=True)
