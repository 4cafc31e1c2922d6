"""The student's network: nequip's own NequIP with a repulsive core, from its shape and its weights.

Its elements enter every layer (`learnable_shift`): without that, nequip's first layer drops the element of an atom, and
the messages of the second could not tell from what element they come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nequip.model import NequIPGNNModel
from nequip.nn import GraphModel
from safetensors.torch import load_file
from torch import Tensor

from core.potentials.files import fill
from core.potentials.nequip_base import StoredShape
from core.potentials.nequip_mg.tensor_product import with_channels_last
from core.potentials.torch_state import nequip_state


@dataclass(frozen=True, slots=True, kw_only=True)
class StudentShape(StoredShape):
    """Hyper-parameters of nequip's `NequIPGNNModel`; energies are shifted by element and scaled by one number."""

    elements: tuple[str, ...]
    cutoff_a: float
    num_layers: int
    l_max: int
    num_features: tuple[int, ...]
    type_features: int
    radial_width: int
    avg_num_neighbors: float
    energy_scale_ev: float
    energy_shifts_ev: tuple[float, ...]

    def model_config(self, seed: int) -> dict[str, Any]:
        """Return the model in nequip's terms; the Ziegler-Biersack-Littmark core keeps hot atoms apart."""
        names = list(self.elements)
        return {
            "_target_": "nequip.model.NequIPGNNModel",
            "seed": seed,
            "model_dtype": "float32",
            "type_names": names,
            "r_max": self.cutoff_a,
            "num_layers": self.num_layers,
            "l_max": self.l_max,
            "parity": False,
            "num_features": list(self.num_features),
            "type_embed_num_features": self.type_features,
            "learnable_shift": True,
            "radial_mlp_depth": 1,
            "radial_mlp_width": self.radial_width,
            "avg_num_neighbors": self.avg_num_neighbors,
            "per_type_energy_scales": self.energy_scale_ev,
            "per_type_energy_shifts": dict(zip(names, self.energy_shifts_ev, strict=True)),
            "pair_potential": {
                "_target_": "nequip.nn.pair_potential.ZBL",
                "units": "metal",
                "chemical_species": names,
            },
        }

    def new_config(self, seed: int) -> dict[str, Any]:
        """Return the model as `nequip-train` builds it to begin anew."""
        return {**self.model_config(seed), "_target_": "core.potentials.nequip_mg.network.new_student"}

    def trained_config(self, weights: Path) -> dict[str, Any]:
        """Return the model as `nequip-train` builds it to go on from the weights of a safetensors file."""
        return {
            "_target_": "core.potentials.nequip_mg.network.trained_student",
            "shape": self.to_dict(),
            "weights": str(weights.resolve()),
        }


def build_student(
    shape: StudentShape, *, dtype: str = "float32", seed: int = 0, compile_mode: str = "eager"
) -> GraphModel:
    """Return the untrained network in evaluation mode; `compile_mode` "compile" is for training alone."""
    config = shape.model_config(seed)
    del config["_target_"]
    with nequip_state():
        network = new_student(**{**config, "model_dtype": dtype, "compile_mode": compile_mode})
    return network.eval()


def new_student(**config: Any) -> GraphModel:
    """Return nequip's own network of this configuration, with the faster tensor product."""
    return with_channels_last(NequIPGNNModel(**config))


def weights_of(network: GraphModel) -> dict[str, Tensor]:
    """Return what training made: all parameters. Scales, shifts and the core follow from the shape."""
    return dict(network.named_parameters())


def trained_student(shape: dict[str, Any], weights: str, compile_mode: str = "eager", **_: Any) -> GraphModel:
    """Return the network with the weights of a safetensors file: what a configuration that goes on names as model."""
    network = build_student(StudentShape.from_dict(shape), compile_mode=compile_mode)
    fill(weights_of(network), load_file(Path(weights)), name="nequip-mg")
    return network.train()  # in evaluation mode nequip keeps products of weights from one step to the next


def fitted_shifts_ev(
    counts: Sequence[dict[str, int]], energies_ev: Sequence[float], elements: Sequence[str]
) -> list[float]:
    """Return energies of the elements, by ridge regression of the frames' energies on their compositions.

    The small ridge keeps elements that always come together from taking opposite, huge values.
    """
    import numpy as np

    matrix = np.array([[count.get(element, 0) for element in elements] for count in counts], dtype=float)
    gram = matrix.T @ matrix + 1e-1 * np.eye(len(elements))
    return [float(shift) for shift in np.linalg.solve(gram, matrix.T @ np.asarray(energies_ev))]
