"""The potential `nequix-oam`: Nequix's weights, read from where the user has them, in nequip's network.

Nequix (arXiv:2508.16067, arXiv:2601.07742) was trained on OMat24, sAlex and MPtrj: PBE(+U). Its weights, 2.9 MB under
the MIT licence, do not ship with this project. Its package downloads them; no part of that package is needed here.
"""

import math
from pathlib import Path
from typing import Any, Final

import torch
from ase import Atoms
from ase.data import chemical_symbols
from nequip.data import AtomicDataDict as Keys
from nequip.nn import GraphModel
from torch import Tensor

from core.errors import PotentialError
from core.potentials.base import Capabilities, Description, PotentialCard, as_floats
from core.potentials.nequip_base import NequipPotential
from core.potentials.nequix.architecture import build_network
from core.potentials.nequix.files import Array, LayerWeights, NequixWeights, read_nqx
from core.provenance import sha256_of_file
from core.settings import Settings

NAME: Final = "nequix-oam"
FILE: Final = "nequix-oam-1.nqx"

_SILU_FACTOR: Final = 1.6765620560798837
"""1 / sqrt(E[silu(z)^2]) for a normal z, from a million quantiles as Nequix takes it; e3nn draws samples, and is off by
a six hundredth."""


def weights_path() -> Path:
    """Return where the weights lie. Raises `PotentialError` that says where they were looked for, and what to do."""
    folders = [Settings.from_environment().data / "weights", Path.home() / ".cache" / "nequix" / "models"]
    for folder in folders:
        if (folder / FILE).is_file():
            return folder / FILE
    raise PotentialError(
        f"{NAME!r} needs the file {FILE}, which does not ship; it is in neither {folders[0]} nor {folders[1]}. Fetch "
        f"it from https://github.com/atomicarchitects/nequix (models/{FILE}, MIT) into the second, or use 'nequip-mp'."
    )


def read_card() -> PotentialCard:
    """Return the card, from the file. Raises `PotentialError` where it is absent, `ModelError` where it is damaged."""
    path = weights_path()
    config = read_nqx(path).config
    return PotentialCard(
        name=NAME, title="Nequix-OAM-1 in the nequip framework", elements=tuple(sorted(_elements(config))),
        cutoff_a=float(config["cutoff"]), trained_on="OMat24, sAlex and MPtrj, PBE(+U)",
        energy_scale="PBE(+U) of OMat24, sAlex and MPtrj, uncorrected", licence="MIT",
        source="10.48550/arXiv.2508.16067", sha256=sha256_of_file(path), capabilities=Capabilities(describes=True),
    )  # fmt: skip


class NequixOam(NequipPotential):
    """Nequix's weights in nequip's network; the same numbers to rounding."""

    def __init__(self, card: PotentialCard, *, device: str = "auto", dtype: str = "float64") -> None:
        super().__init__(card, device=device, dtype=dtype)
        weights = read_nqx(weights_path())
        elements = _elements(weights.config)
        network = build_network(weights.config, elements, dtype=dtype)
        fill(network, weights)
        self._network = network.to(self.device)
        self._see(elements, float(weights.config["cutoff"]))

    def _describe(self, atoms: Atoms) -> Description:
        energy_model: Any = self._network.model.func
        out = energy_model(self.graph(atoms))
        return Description(
            site_energies_ev=as_floats(out[Keys.PER_ATOM_ENERGY_KEY])[:, 0],
            vectors=as_floats(out[Keys.NODE_FEATURES_KEY]),
        )


def _elements(config: dict[str, Any]) -> tuple[str, ...]:
    return tuple(chemical_symbols[number] for number in config["atomic_numbers"])


@torch.no_grad()
def fill(network: GraphModel, weights: NequixWeights) -> None:
    """Put a file's weights into the network of its configuration. Raises `RuntimeError` where shapes differ."""
    parts: Any = network.model.func
    config = weights.config
    parts.type_embed.embed_module.weight.copy_(torch.eye(len(weights.atom_energies_ev)))
    for index, layer in enumerate(weights.layers):
        _fill_layer(getattr(parts, f"layer{index}_convnet"), layer, float(config["cutoff"]))
    (readout,) = (
        module for module in parts.per_atom_energy_readout.mlp_module.mlp if hasattr(module, "weight")
    )
    readout.weight.copy_(_tensor(weights.readout) / math.sqrt(len(weights.readout)) / float(readout.alpha))
    scaling = parts.per_type_energy_scale_shift
    scaling.scales.fill_(float(config["scale"]))
    scaling.shifts.copy_((_tensor(weights.atom_energies_ev) + float(config["shift"]))[:, None])


def _fill_layer(layer: Any, weights: LayerWeights, cutoff_a: float) -> None:
    convolution = layer.conv
    for linear, arrays in (
        (convolution.linear_1, weights.linear_1),
        (convolution.linear_2, weights.linear_2),
        (convolution.sc.linear, weights.skip),
    ):
        linear.weight.copy_(torch.cat([_tensor(array).reshape(-1) for array in arrays]))
    radial = [module for module in convolution.edge_mlp.mlp if hasattr(module, "weight")]
    for depth, (module, array) in enumerate(zip(radial, weights.radial, strict=True)):
        # 2 / r_c sin(n pi r / r_c) / r there, n sinc(n r / r_c) here
        weight = _tensor(array) * (2.0 * math.pi / cutoff_a**2 if depth == 0 else 1.0)
        columns = convolution.columns if module is radial[-1] else slice(None)
        module.weight.copy_(weight[:, columns] / float(module.alpha))
    norm, gate = layer.equivariant_nonlin
    for factor, array in zip(norm.weight, weights.norm, strict=True):
        factor.copy_(_tensor(array))
    for module in gate.modules():
        if hasattr(module, "cst"):
            module.cst = _SILU_FACTOR


def _tensor(array: Array) -> Tensor:
    return torch.from_numpy(array)
