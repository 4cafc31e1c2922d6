"""Which potentials there are: a name, where its card comes from, how it is loaded.

A new potential is one line here; its packages are imported when it is first asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import ExplorerError, PotentialError
from core.potentials.base import Potential, PotentialCard
from core.records import Crystal

if TYPE_CHECKING:
    from core.potentials.nequip_mg.refine import Refinement

DEFAULT_POTENTIAL: Final = "nequip-mp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`module` of core.potentials has the function `card` and the class `potential(card, device=, dtype=)`."""

    module: str
    class_name: str
    card: str = "read_card"

    def read_card(self) -> PotentialCard:
        """Return the card without loading the weights."""
        read: Callable[[], PotentialCard] = getattr(import_module(self.module), self.card)
        return read()

    def load(self, *, device: str, dtype: str) -> Potential:
        """Return the potential on a device."""
        potential: Callable[..., Potential] = getattr(import_module(self.module), self.class_name)
        return potential(self.read_card(), device=device, dtype=dtype)

    def load_refined(self, folder: Path, *, device: str, dtype: str) -> Potential:
        """Return the potential with the weights that a refinement left in a folder."""
        module = import_module(self.module)
        potential: Callable[..., Potential] = getattr(module, self.class_name)
        return potential(module.read_card(folder), device=device, dtype=dtype, folder=folder)


_ENTRIES: Final[dict[str, Entry]] = {
    "nequip-mp": Entry(module="core.potentials.nequip_mp.potential", class_name="NequipMp"),
    "nequip-mg": Entry(module="core.potentials.nequip_mg.potential", class_name="NequipMg"),
    "chgnet": Entry(module="core.potentials.chgnet", class_name="ChgnetPotential"),
    "nequix-oam": Entry(module="core.potentials.nequix.potential", class_name="NequixOam"),
    "m3gnet": Entry(module="core.potentials.matgl", class_name="MatglPotential", card="m3gnet_card"),
    "tensornet": Entry(module="core.potentials.matgl", class_name="MatglPotential", card="tensornet_card"),
    "sevennet-0": Entry(module="core.potentials.sevennet", class_name="SevenNetPotential"),
}
POTENTIALS: Final = tuple(_ENTRIES)
"""Names that `load_potential` knows, the default first."""


def load_potential(
    name: str = DEFAULT_POTENTIAL, *, device: str = "auto", dtype: str = "float64"
) -> Potential:
    """Return a potential by name, on `auto`, `cpu` or `cuda:N`, in `float64` or `float32`.

    Raises `PotentialError` for an unknown name or precision or a package that is missing, `DeviceError` for a device
    that is not there, `ModelError` for damaged weights.
    """
    return _entry(name).load(device=device, dtype=dtype)


def potential_card(name: str = DEFAULT_POTENTIAL) -> PotentialCard:
    """Return a potential's card without loading it. Raises `PotentialError` for an unknown name."""
    return _entry(name).read_card()


def default_dynamics_potential() -> str:
    """Return the potential that simulations use unless told otherwise: the first distilled one that can be compiled.

    One whose card cannot be read is passed over, so that the question itself never fails.
    """
    for name in POTENTIALS:
        try:
            card = potential_card(name)
        except ExplorerError:
            continue
        if card.teacher is not None and card.capabilities.can_be_compiled:
            return name
    return DEFAULT_POTENTIAL


def refine_potential(
    name: str, crystal: Crystal, working_ion: str, *, folder: Path, rounds: int, seed: int = 0, device: str = "auto",
    on_stage: Callable[[str], None] = lambda stage: None,
) -> "Refinement":  # fmt: skip
    """Fine-tune a potential for one crystal against the teacher that its card names; see its `refine`.

    What is done already in `folder` is kept. Raises `PotentialError` for one that offers no refinement, `TrainingError`
    where training fails.
    """
    card = potential_card(name)
    if not card.capabilities.can_be_refined or card.teacher is None:
        raise PotentialError(f"{name!r} can't be fine-tuned for a material; leave the refinement out.")
    on_stage("loading the teacher")
    teacher = load_potential(card.teacher, device=device, dtype="float32")
    refine: Callable[..., Refinement] = import_module(_entry(name).module).refine
    return refine(crystal, working_ion, teacher, folder=folder, rounds=rounds, seed=seed, on_stage=on_stage)


def load_refined(name: str, folder: Path, *, device: str = "auto", dtype: str = "float32") -> Potential:
    """Return a potential with the weights that `refine_potential` left in `Refinement.folder`; raise `ModelError`."""
    return _entry(name).load_refined(folder, device=device, dtype=dtype)


def _entry(name: str) -> Entry:
    try:
        return _ENTRIES[name]
    except KeyError:
        raise PotentialError(f"{name!r} is not a potential; choose one of {', '.join(POTENTIALS)}.") from None
