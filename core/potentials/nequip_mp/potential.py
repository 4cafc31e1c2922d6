"""The potential `nequip-mp`, from its safetensors file to energies; `sevenn` is not needed."""

from pathlib import Path
from typing import Any, Final

from ase import Atoms
from nequip.data import AtomicDataDict as Keys
from nequip.nn import GraphModel
from torch import Tensor

from core.potentials.base import Description, PotentialCard, as_floats
from core.potentials.files import fill, read_card_file, read_weights, shipped_folder
from core.potentials.nequip_base import NequipPotential
from core.potentials.nequip_mp.architecture import Shape, build_network

NAME: Final = "nequip-mp"


def read_card(folder: Path | None = None) -> PotentialCard:
    """Return the card of the shipped weights, or of those in `folder`. Raises `ModelError`."""
    return read_card_file(folder or shipped_folder(), NAME)[0]


def weights_of(network: GraphModel) -> dict[str, Tensor]:
    """Return what training made: all parameters, and the scales and shifts of the elements' energies."""
    named = dict(network.named_parameters())
    named |= {name: value for name, value in network.named_buffers() if name.endswith((".scales", ".shifts"))}
    return named


class NequipMp(NequipPotential):
    """SevenNet-0's weights in nequip's network, with a faster sum over neighbours; files from `folder`."""

    def __init__(
        self, card: PotentialCard, *, device: str = "auto", dtype: str = "float64", folder: Path | None = None
    ) -> None:
        super().__init__(card, device=device, dtype=dtype)
        folder = folder or shipped_folder()
        shape = Shape.from_dict(read_card_file(folder, NAME)[1]["shape"])
        network = build_network(shape, dtype=dtype)
        fill(weights_of(network), read_weights(folder, NAME, card.sha256), name=NAME)
        self._network = network.to(self.device)
        self._see(shape.elements, shape.cutoff_a)

    def _describe(self, atoms: Atoms) -> Description:
        energy_model: Any = self._network.model.func
        out = energy_model(self.graph(atoms))
        return Description(
            site_energies_ev=as_floats(out[Keys.PER_ATOM_ENERGY_KEY])[:, 0],
            vectors=as_floats(out[Keys.NODE_FEATURES_KEY]),
        )
