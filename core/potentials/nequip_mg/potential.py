"""The potential `nequip-mg`, from its safetensors file to energies; compiled for the machine where that was done."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from ase import Atoms
from nequip.data import AtomicDataDict as Keys
from vesin import NeighborList

from core.errors import PotentialError
from core.potentials.face import Evaluation, Potential, PotentialCard
from core.potentials.files import fill, read_card_file, read_weights, shipped_folder
from core.potentials.nequip_mg.compiled import compile_student, compiled_path, load_compiled
from core.potentials.nequip_mg.network import StudentShape, build_student, weights_of

NAME: Final = "nequip-mg"


def read_card(folder: Path | None = None) -> PotentialCard:
    """Return the card of the shipped weights, or of those in `folder`. Raises `ModelError`."""
    return read_card_file(folder or shipped_folder(), NAME)[0]


class NequipMg(Potential):
    """The distilled NequIP; a compiled build is taken where there is one (single precision only)."""

    def __init__(
        self, card: PotentialCard, *, device: str = "auto", dtype: str = "float64", folder: Path | None = None
    ) -> None:
        super().__init__(card, device=device, dtype=dtype)
        self._torch_default = torch.float64  # nequip's convention, in single precision too
        self._folder = folder or shipped_folder()
        shape = StudentShape.from_dict(read_card_file(self._folder, NAME)[1]["shape"])
        network = build_student(shape, dtype=dtype)
        fill(weights_of(network), read_weights(self._folder, NAME, card.sha256), name=NAME)
        for weight in network.parameters():
            weight.requires_grad_(False)
        self._network: Any = network.to(self.device)
        self.is_compiled = False
        self._neighbours = NeighborList(cutoff=shape.cutoff_a, full_list=True)
        self._types = np.full(119, -1, dtype=np.int64)
        self._types[Atoms(shape.elements).numbers] = np.arange(len(shape.elements))
        built = compiled_path(card.sha256, self.device)
        if dtype == "float32" and built.exists():
            self._take(built)

    def compile(self) -> None:
        """Compile for this machine, if that was not done before, and use the build from now on.

        Raises `PotentialError` in double precision, without a C++ compiler, or when compiling fails.
        """
        if self.dtype != "float32":
            raise PotentialError(
                f"{NAME!r} is compiled in float32 alone, this one works in {self.dtype}; load it so."
            )
        if not self.is_compiled:
            self._take(compile_student(self._folder, NAME, self.device))

    def _take(self, built: Path) -> None:
        self._network = load_compiled(built, self.device)
        self.is_compiled = True

    def _graph(self, atoms: Atoms) -> dict[str, torch.Tensor]:
        first, second, shifts = self._neighbours.compute(
            points=atoms.positions, box=atoms.cell.array, periodic=True, quantities="ijS"
        )
        pairs = np.stack([first, second]).astype(np.int64)
        data = {
            Keys.POSITIONS_KEY: torch.from_numpy(atoms.positions),
            Keys.CELL_KEY: torch.from_numpy(atoms.cell.array)[None],
            Keys.ATOM_TYPE_KEY: torch.from_numpy(self._types[atoms.numbers]),
            Keys.EDGE_INDEX_KEY: torch.from_numpy(pairs),
            Keys.EDGE_CELL_SHIFT_KEY: torch.from_numpy(shifts.astype(np.float64)),
        }
        return {key: value.to(self.device) for key, value in data.items()}

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        out = self._network(self._graph(atoms))
        return Evaluation(
            energy_ev=float(out[Keys.TOTAL_ENERGY_KEY]),
            site_energies_ev=_array(out[Keys.PER_ATOM_ENERGY_KEY]).reshape(-1),
            forces_ev_per_a=_array(out[Keys.FORCE_KEY]),
            stress_ev_per_a3=_array(out[Keys.STRESS_KEY]).reshape(3, 3),
        )


def _array(values: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float64]]:
    return values.detach().cpu().numpy().astype(np.float64)
