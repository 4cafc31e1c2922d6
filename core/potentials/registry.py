"""Which potentials there are: a name, where its card comes from, how it is loaded.

A new potential is one line here; its packages are imported when it is first asked for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from core.errors import PotentialError
from core.potentials.face import Potential, PotentialCard

DEFAULT_POTENTIAL: Final = "nequip-mp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """`module` of core.potentials has `read_card()` and the class `potential(card, device=, dtype=)`."""

    module: str
    class_name: str

    def read_card(self) -> PotentialCard:
        """Return the card without loading the weights."""
        read: Callable[[], PotentialCard] = import_module(self.module).read_card
        return read()

    def load(self, *, device: str, dtype: str) -> Potential:
        """Return the potential on a device."""
        potential: Callable[..., Potential] = getattr(import_module(self.module), self.class_name)
        return potential(self.read_card(), device=device, dtype=dtype)


_ENTRIES: Final[dict[str, Entry]] = {
    "nequip-mp": Entry(module="core.potentials.nequip_mp.potential", class_name="NequipMp"),
    "nequip-mg": Entry(module="core.potentials.nequip_mg.potential", class_name="NequipMg"),
    "chgnet": Entry(module="core.potentials.chgnet", class_name="ChgnetPotential"),
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


def _entry(name: str) -> Entry:
    try:
        return _ENTRIES[name]
    except KeyError:
        raise PotentialError(f"{name!r} is not a potential; choose one of {', '.join(POTENTIALS)}.") from None
