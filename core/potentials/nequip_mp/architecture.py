"""SevenNet-0's network out of nequip's own modules: the builder that nequip's tools can name, and its shape.

SevenNet-0 (doi:10.1021/acs.jctc.4c00190) is a NequIP (doi:10.1038/s41467-022-29939-5) with three differences: an XPLOR
cutoff, a self-connection that does not depend on the element and is there in the first layer too, and features
without parity. All else is nequip's, so that its training, fine-tuning and compiling take this model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from e3nn.o3 import Irreps
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
    SphericalHarmonicEdgeAttrs,
)

from core.potentials.nequip_base import StoredShape
from core.potentials.nequip_mp.modules import LinearSelfConnection, NeighbourSum, XplorCutoff
from core.potentials.torch_state import nequip_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape(StoredShape):
    """Hyper-parameters; `features` has the irreps before each layer and after the last, `norms` one divisor a layer."""

    elements: tuple[str, ...]
    cutoff_a: float
    switch_on_a: float
    n_bessels: int
    harmonics: str
    features: tuple[str, ...]
    radial_depth: int
    radial_width: int
    norms: tuple[float, ...]


def build_network(shape: Shape, *, dtype: str, fast: bool = True) -> GraphModel:
    """Return the untrained network in evaluation mode; `fast` takes `NeighbourSum` for e3nn's tensor product."""
    with nequip_state():
        network = sevennet_like(
            seed=0,
            model_dtype=dtype,
            type_names=list(shape.elements),
            r_max=shape.cutoff_a,
            shape=shape.to_dict(),
            fast=fast,
        )
    return network.eval()


@model_builder  # type: ignore[untyped-decorator]
def sevennet_like(
    type_names: Sequence[str], r_max: float, shape: dict[str, Any], fast: bool = False
) -> ForceStressOutput:
    """Return the network for nequip's `model_builder`; names of the parts are nequip's where it has them."""
    form = Shape.from_dict(shape)
    parts: dict[str, Any] = _embedding(form, list(type_names), r_max)
    for index in range(len(form.norms)):
        parts[f"layer{index}_convnet"] = _layer(form, index, list(type_names), _last(parts), fast)
    parts["per_atom_energy_readout"] = ScalarMLP(
        output_dim=1,
        hidden_layers_depth=0,
        field=Keys.NODE_FEATURES_KEY,
        out_field=Keys.PER_ATOM_ENERGY_KEY,
        irreps_in=_last(parts),
    )
    parts["per_type_energy_scale_shift"] = PerTypeScaleShift(
        type_names=list(type_names),
        field=Keys.PER_ATOM_ENERGY_KEY,
        scales=dict.fromkeys(type_names, 1.0),
        shifts=dict.fromkeys(type_names, 0.0),
        irreps_in=_last(parts),
    )
    parts["total_energy_sum"] = AtomwiseReduce(
        field=Keys.PER_ATOM_ENERGY_KEY, out_field=Keys.TOTAL_ENERGY_KEY, reduce="sum", irreps_in=_last(parts)
    )
    return ForceStressOutput(SequentialGraphNetwork(parts), do_derivatives=True)


def _last(parts: dict[str, Any]) -> dict[str, Irreps]:
    irreps: dict[str, Irreps] = next(reversed(parts.values())).irreps_out
    return irreps


def _embedding(form: Shape, type_names: list[str], r_max: float) -> dict[str, Any]:
    types = NodeTypeEmbed(type_names=type_names, num_features=Irreps(form.features[0]).dim)
    harmonics = SphericalHarmonicEdgeAttrs(irreps_edge_sh=form.harmonics, irreps_in=types.irreps_out)
    lengths = EdgeLengthNormalizer(r_max=r_max, type_names=type_names, irreps_in=harmonics.irreps_out)
    bessels = BesselEdgeLengthEncoding(
        cutoff=XplorCutoff(form.switch_on_a / r_max),
        num_bessels=form.n_bessels,
        trainable=True,
        edge_invariant_field=Keys.EDGE_EMBEDDING_KEY,
        irreps_in=lengths.irreps_out,
    )
    return {"type_embed": types, "spharm": harmonics, "edge_norm": lengths, "bessel_encode": bessels}


def _layer(
    form: Shape, index: int, type_names: list[str], irreps_in: dict[str, Irreps], fast: bool
) -> ConvNetLayer:
    layer = ConvNetLayer(
        irreps_in=irreps_in,
        feature_irreps_hidden=Irreps(form.features[index + 1]),
        convolution_kwargs={
            "radial_mlp_depth": form.radial_depth,
            "radial_mlp_width": form.radial_width,
            "use_sc": False,
            "is_first_layer": index == 0,
            "avg_num_neighbors": form.norms[index] ** 2,
            "type_names": type_names,
        },
    )
    convolution = layer.conv
    key = Keys.NODE_FEATURES_KEY
    convolution.sc = LinearSelfConnection(convolution.irreps_in[key], convolution.irreps_out[key])
    if fast:
        old = convolution.tp_scatter
        convolution.tp_scatter = NeighbourSum(
            old.feature_irreps_in, old.irreps_edge_attr, old.irreps_mid, old.instructions
        )
    return layer
