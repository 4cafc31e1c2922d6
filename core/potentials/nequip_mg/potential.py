"""The potential `nequip-mg`, from its safetensors file to energies; compiled for the machine where that was done."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import PotentialError
from core.potentials.base import Potential, PotentialCard
from core.potentials.files import fill, read_card_file, read_weights, shipped_folder
from core.potentials.nequip_base import NequipPotential
from core.potentials.nequip_mg.compiled import compile_student, compiled_path, load_compiled
from core.potentials.nequip_mg.network import StudentShape, build_student, weights_of
from core.records import Crystal

if TYPE_CHECKING:
    from core.potentials.nequip_mg.refine import Refinement

NAME: Final = "nequip-mg"


def read_card(folder: Path | None = None) -> PotentialCard:
    """Return the card of the shipped weights, or of those in `folder`. Raises `ModelError`."""
    return read_card_file(folder or shipped_folder(), NAME)[0]


def read_shape(folder: Path | None = None) -> StudentShape:
    """Return the network's shape from the card in `folder`, or the shipped one. Raises `ModelError`."""
    return StudentShape.from_dict(read_card_file(folder or shipped_folder(), NAME)[1]["shape"])


class NequipMg(NequipPotential):
    """The distilled NequIP; a compiled build is taken where there is one (single precision only)."""

    def __init__(
        self, card: PotentialCard, *, device: str = "auto", dtype: str = "float64", folder: Path | None = None
    ) -> None:
        super().__init__(card, device=device, dtype=dtype)
        self._folder = folder or shipped_folder()
        shape = read_shape(self._folder)
        network = build_student(shape, dtype=dtype)
        fill(weights_of(network), read_weights(self._folder, NAME, card.sha256), name=NAME)
        for weight in network.parameters():
            weight.requires_grad_(False)
        self._network = network.to(self.device)
        self._see(shape.elements, shape.cutoff_a)
        self._is_compiled = False
        built = compiled_path(card.sha256, self.device)
        if dtype == "float32" and built.exists():
            self._take(built)

    @property
    def is_compiled(self) -> bool:
        """Whether it works from a build made for this machine."""
        return self._is_compiled

    def compile(self) -> None:
        """Compile for this machine, if that was not done before, and use the build from now on.

        Raises `PotentialError` in double precision, without a C++ compiler, or when compiling fails.
        """
        if self.dtype != "float32":
            raise PotentialError(
                f"{NAME!r} is compiled in float32 alone, this one works in {self.dtype}; load it so."
            )
        if not self._is_compiled:
            self._take(compile_student(self._folder, NAME, self.device))

    def _take(self, built: Path) -> None:
        self._network = load_compiled(built, self.device)
        self._is_compiled = True


def refine(crystal: Crystal, working_ion: str, teacher: Potential, **options: Any) -> "Refinement":
    """Fine-tune this potential for one crystal; see `refine` in the module of that name."""
    # Imported here, since it takes seconds.
    from core.potentials.nequip_mg.refine import refine as refine_student

    return refine_student(crystal, working_ion, teacher, **options)
