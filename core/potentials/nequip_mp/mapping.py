"""Carries SevenNet-0's weights over into nequip's network, one to one.

Differences are of bookkeeping only, and each is undone exactly in float64:

| part | SevenNet-0 | nequip |
| --- | --- | --- |
| embedding | one-hot times W / sqrt(n_elements) | rows of an embedding |
| Bessel | 2 / r_c sin(c_n r) / r | w_n sinc(w_n r / r_c), w_n = c_n r_c / pi; factor 2 pi / r_c^2 into the radial net |
| radial net | W / sqrt(n_in), activation times its normalisation | alpha W, bare activation |
| its columns | paths ordered by result | paths ordered by input |
| neighbour sum | divided by d | divided by sqrt(n), n = d^2 |
| readout | 128 -> 64 -> 1, linear both | 128 -> 1, their product |
"""

import math
from typing import Any

import torch
from e3nn.math import normalize2mom
from e3nn.o3 import Irreps
from nequip.nn import GraphModel
from torch import Tensor

from core.errors import ModelError
from core.potentials.nequip_mp.architecture import Shape

Weights = dict[str, Tensor]


def shape_of(config: dict[str, Any], source: torch.nn.Module) -> Shape:
    """Return the shape of SevenNet's module `source` and its checkpoint's `config`; another kind is a `ModelError`."""
    from ase.data import chemical_symbols

    hidden = config["weight_nn_hidden_neurons"]
    supported = (
        not config["is_parity"]
        and config["self_connection_type"] == "linear"
        and config["cutoff_function"]["cutoff_function_name"] == "XPLOR"
        and len(set(hidden)) == 1
    )
    if not supported:
        raise ModelError(
            "This SevenNet checkpoint has parity, an element-dependent self-connection, another cutoff than XPLOR or "
            "hidden layers of unequal width; only networks like SevenNet-0 can be carried over."
        )
    weights, types = source.state_dict(), config["_type_map"]
    return Shape(
        elements=tuple(chemical_symbols[number] for number in sorted(types, key=types.get)),
        cutoff_a=float(config["cutoff"]),
        switch_on_a=float(config["cutoff_function"]["cutoff_on"]),
        n_bessels=int(config["radial_basis"]["bessel_basis_num"]),
        harmonics="+".join(f"1x{degree}e" for degree in range(config["lmax"] + 1)),
        features=tuple(str(Irreps(text)) for text in config["irreps_manual"]),
        radial_depth=len(hidden),
        radial_width=int(hidden[0]),
        norms=tuple(
            float(weights[f"{i}_convolution.denominator"]) for i in range(config["num_convolution_layer"])
        ),
    )


def map_weights(source: torch.nn.Module, target: GraphModel, shape: Shape) -> None:
    """Fill `target` (float64, built of `shape`) with the weights of the SevenNet module `source`."""
    old = {name: value.detach().to(torch.float64) for name, value in source.state_dict().items()}
    parts = target.model.func
    embedding = old["onehot_to_feature_x.linear.weight"].reshape(len(shape.elements), -1)
    _put(parts.type_embed.embed_module.weight, embedding / math.sqrt(len(shape.elements)))
    roots = old["edge_embedding.basis_function.coeffs"] * shape.cutoff_a / math.pi
    _put(parts.bessel_encode.bessel_weights, roots[None])
    for index in range(len(shape.norms)):
        convolution = getattr(parts, f"layer{index}_convnet").conv
        _put(convolution.linear_1.weight, old[f"{index}_self_interaction_1.linear.weight"])
        _put(convolution.linear_2.weight, old[f"{index}_self_interaction_2.linear.weight"])
        _put(convolution.sc.linear.weight, old[f"{index}_self_connection_intro.linear.weight"])
        _map_radial_net(old, getattr(source, f"{index}_convolution"), convolution, index, shape)
    _map_readout(old, parts)


def _map_radial_net(old: Weights, source: Any, convolution: Any, index: int, shape: Shape) -> None:
    layers = [module for module in convolution.edge_mlp.mlp if hasattr(module, "weight")]
    normalisation = float(normalize2mom(torch.nn.functional.silu).cst)
    for depth, layer in enumerate(layers):
        weight = old[f"{index}_convolution.weight_nn.layer{depth}.weight"]
        weight = weight / math.sqrt(weight.shape[0])
        weight = weight * (normalisation if depth else 2.0 * math.pi / shape.cutoff_a**2)
        if layer is layers[-1]:
            weight = weight[:, _columns(source, convolution)]
        _put(layer.weight, weight / float(layer.alpha))


def _columns(source: Any, convolution: Any) -> Tensor:
    """For each column of nequip's radial net, the column of SevenNet's that belongs to the same path."""
    starts, start = {}, 0
    for path in source.convolution.instructions:
        starts[path.i_in1, path.i_in2, path.i_out] = start
        start += path.path_shape[0]
    columns = []
    for path in convolution.tp_scatter.tp.instructions:
        start = starts[path.i_in1, path.i_in2, path.i_out]
        columns.append(torch.arange(start, start + path.path_shape[0]))
    return torch.cat(columns)


def _map_readout(old: Weights, parts: Any) -> None:
    second = old["reduce_hidden_to_energy.linear.weight"].reshape(-1, 1)
    first = old["reduce_input_to_hidden.linear.weight"].reshape(-1, len(second))
    (readout,) = (
        module for module in parts.per_atom_energy_readout.mlp_module.mlp if hasattr(module, "weight")
    )
    product = (first / math.sqrt(len(first))) @ (second / math.sqrt(len(second)))
    _put(readout.weight, product / float(readout.alpha))
    scaling = parts.per_type_energy_scale_shift
    _put(scaling.scales, old["rescale_atomic_energy.scale"][:, None])
    _put(scaling.shifts, old["rescale_atomic_energy.shift"][:, None])


def _put(place: Tensor, value: Tensor) -> None:
    if place.shape != value.shape:
        raise ModelError(
            f"A weight of shape {tuple(value.shape)} does not fit its place {tuple(place.shape)}: this is another "
            "network than SevenNet-0 (11Jul2024)."
        )
    place.data.copy_(value)
