"""Nequix's network out of nequip's own modules.

Nequix (arXiv:2508.16067) is a NequIP (doi:10.1038/s41467-022-29939-5) with a self-connection that does not depend on
the element, one-hot elements, and features divided by their root mean square before each gate. All else is nequip's.
"""

from collections.abc import Sequence
from typing import Any

import torch
from e3nn.o3._irreps import Irreps
from nequip.data import AtomicDataDict as Keys
from nequip.model.utils import model_builder
from nequip.nn import (
    AtomwiseReduce,
    ConvNetLayer,
    ForceStressOutput,
    GraphModel,
    PerTypeScaleShift,
    ScalarMLP,
    SequentialGraphNetwork,
)
from nequip.nn.embedding import (
    BesselEdgeLengthEncoding,
    EdgeLengthNormalizer,
    NodeTypeEmbed,
    PolynomialCutoff,
    SphericalHarmonicEdgeAttrs,
)
from torch import Tensor

from core.potentials.nequip_mp.modules import LinearSelfConnection, NeighbourSum
from core.potentials.torch_state import nequip_state


class DegreeNorm(torch.nn.Module):
    """Features over their root mean square, times a learned factor each.

    y = w x / sqrt(eps + sum_l sum_u sum_m x_lum^2 / (n (2l + 1)^2)), where l runs over the n degrees, u over features,
    m over components; nothing is centred.
    """

    def __init__(self, irreps: Irreps, eps: float = 1e-12) -> None:
        super().__init__()
        self.irreps, self.eps = irreps, eps
        self.weight = torch.nn.ParameterList(torch.nn.Parameter(torch.ones(mul)) for mul, _ in irreps)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n_atoms, irreps) normalised features."""
        blocks = [
            x[:, part].reshape(-1, mul, ir.dim)
            for part, (mul, ir) in zip(self.irreps.slices(), self.irreps, strict=True)
        ]
        squares = [block.square().sum(dim=1).sum(dim=1) / block.shape[2] ** 2 for block in blocks]
        square = torch.stack(squares).mean(dim=0)
        norm = torch.rsqrt(square + self.eps)[:, None, None]
        scaled = [block * weight[:, None] * norm for block, weight in zip(blocks, self.weight, strict=True)]
        return torch.cat([block.flatten(1) for block in scaled], dim=1)


def build_network(config: dict[str, Any], elements: Sequence[str], *, dtype: str) -> GraphModel:
    """Return the untrained network of a file's configuration, in evaluation mode."""
    with nequip_state():
        network = nequix_like(
            seed=0, model_dtype=dtype, type_names=list(elements), r_max=float(config["cutoff"]), config=config
        )
    return network.eval()


@model_builder  # type: ignore[untyped-decorator]
def nequix_like(type_names: Sequence[str], r_max: float, config: dict[str, Any]) -> ForceStressOutput:
    """Return the network for nequip's `model_builder`; names of the parts are nequip's where it has them."""
    names = list(type_names)
    harmonics = Irreps.spherical_harmonics(int(config["lmax"]))
    types = NodeTypeEmbed(type_names=names, num_features=len(names))
    spharm = SphericalHarmonicEdgeAttrs(irreps_edge_sh=harmonics, irreps_in=types.irreps_out)
    lengths = EdgeLengthNormalizer(r_max=r_max, type_names=names, irreps_in=spharm.irreps_out)
    bessels = BesselEdgeLengthEncoding(
        cutoff=PolynomialCutoff(float(config["radial_polynomial_p"])),
        num_bessels=int(config["radial_basis_size"]), trainable=True,
        edge_invariant_field=Keys.EDGE_EMBEDDING_KEY, irreps_in=lengths.irreps_out,
    )  # fmt: skip
    parts: dict[str, Any] = {
        "type_embed": types, "spharm": spharm, "edge_norm": lengths, "bessel_encode": bessels,
    }  # fmt: skip
    hidden = Irreps(config["hidden_irreps"])
    n_layers = int(config["n_layers"])
    for index in range(n_layers):
        out = hidden if index < n_layers - 1 else hidden.filter(keep=["0e"])
        parts[f"layer{index}_convnet"] = _layer(config, out, index, names, _last(parts))
    parts["per_atom_energy_readout"] = ScalarMLP(
        output_dim=1, hidden_layers_depth=0, field=Keys.NODE_FEATURES_KEY, out_field=Keys.PER_ATOM_ENERGY_KEY,
        irreps_in=_last(parts),
    )  # fmt: skip
    parts["per_type_energy_scale_shift"] = PerTypeScaleShift(
        type_names=names, field=Keys.PER_ATOM_ENERGY_KEY, scales=dict.fromkeys(names, 1.0),
        shifts=dict.fromkeys(names, 0.0), irreps_in=_last(parts),
    )  # fmt: skip
    parts["total_energy_sum"] = AtomwiseReduce(
        field=Keys.PER_ATOM_ENERGY_KEY, out_field=Keys.TOTAL_ENERGY_KEY, reduce="sum", irreps_in=_last(parts)
    )
    return ForceStressOutput(SequentialGraphNetwork(parts), do_derivatives=True)


def _last(parts: dict[str, Any]) -> dict[str, Irreps]:
    irreps: dict[str, Irreps] = next(reversed(parts.values())).irreps_out
    return irreps


def _layer(
    config: dict[str, Any], out: Irreps, index: int, names: list[str], irreps_in: dict[str, Irreps]
) -> ConvNetLayer:
    layer = ConvNetLayer(
        irreps_in=irreps_in, feature_irreps_hidden=out,
        convolution_kwargs={
            "radial_mlp_depth": int(config["radial_mlp_layers"]),
            "radial_mlp_width": int(config["radial_mlp_size"]),
            "use_sc": False, "is_first_layer": index == 0,
            "avg_num_neighbors": float(config["avg_n_neighbors"]), "type_names": names,
        },
    )  # fmt: skip
    convolution, key = layer.conv, Keys.NODE_FEATURES_KEY
    convolution.sc = LinearSelfConnection(convolution.irreps_in[key], convolution.irreps_out[key])
    old = convolution.tp_scatter
    convolution.tp_scatter = NeighbourSum(
        old.feature_irreps_in, old.irreps_edge_attr, old.irreps_mid, old.instructions
    )
    convolution.columns = columns(old.instructions, old.feature_irreps_in)
    gate = layer.equivariant_nonlin
    layer.equivariant_nonlin = torch.nn.Sequential(DegreeNorm(convolution.irreps_out[key]), gate)
    return layer


def columns(instructions: Sequence[Any], features: Irreps) -> Tensor:
    """For each column of nequip's radial net the column of Nequix's, whose paths are ordered by result."""
    order = sorted(range(len(instructions)), key=lambda path: instructions[path][2])
    starts, start = {}, 0
    for path in order:
        starts[path] = start
        start += features[instructions[path][0]].mul
    return torch.cat(
        [
            torch.arange(starts[path], starts[path] + features[it[0]].mul)
            for path, it in enumerate(instructions)
        ]
    )
