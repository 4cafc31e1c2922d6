"""The tensor product of nequip's convolution with channels innermost: the same numbers, in a fraction of the time.

For an atom i, its neighbours s, a path from degree l1 of the features x by spherical harmonics Y of degree l2 to degree
l3, with Clebsch-Gordan coefficients C, and the radial weights w of each pair and channel u:

    y_i[u, k] = sum_s w_is[u] sum_ab C_abk x_s[u, a] Y_is[b]

e3nn keeps the components of a channel side by side, which leaves a processor's vector units little to do. Here channels
lie side by side, and products that are zero by symmetry are never made. No index is written to in the loops (no slices,
whose gradients are arrays of zeros with one filled part), so that the compiler can merge them, gradients included. The
teacher, never compiled, has `NeighbourSum` for the same end, whose shapes depend on the frame and cannot be compiled.
"""

from dataclasses import dataclass

import torch
from e3nn import o3
from e3nn.o3._tensor_product._instruction import Instruction
from nequip.nn import GraphModel
from nequip.nn._tp_scatter_base import TensorProductScatter
from torch import Tensor, nn

_ZERO = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """One coupling, "uvu" in e3nn's terms: from entry `source` of the features to entry `target` of the output.

    `couplings` maps components (out, in) that are not zero by symmetry to columns of the matrix of couplings.
    """

    source: int
    target: int
    dim_in: int
    dim_out: int
    channels: int
    couplings: dict[tuple[int, int], int]


class ChannelsLast(nn.Module):
    """Stands in for nequip's `TensorProductScatter`: input, output and radial weights in the same order."""

    couplings: Tensor

    def __init__(self, reference: TensorProductScatter) -> None:
        super().__init__()
        features, harmonics = o3.Irreps(reference.feature_irreps_in), o3.Irreps(reference.irreps_edge_attr)
        out = o3.Irreps(reference.irreps_mid)
        self._blocks = tuple((mul, ir.dim) for mul, ir in features)
        self._n_out = len(out)
        columns: list[Tensor] = []
        self._paths = tuple(
            _path(instruction, features, harmonics, out, columns) for instruction in reference.tp.instructions
        )
        # one matrix product makes, for each pair, all sums over b of C_abk Y[b]
        matrix = torch.stack(columns, dim=1).to(reference.model_dtype)
        self.register_buffer("couplings", matrix, persistent=False)

    def forward(
        self, x: Tensor, edge_attr: Tensor, edge_weight: Tensor, edge_dst: Tensor, edge_src: Tensor
    ) -> Tensor:
        """Return the sums over neighbours, (atoms, dimension of the output), as the class it stands in for does."""
        neighbours = self._of_neighbours(x, edge_src)
        couplings = torch.split(edge_attr @ self.couplings, 1, dim=1)
        weights = torch.split(edge_weight, [path.channels for path in self._paths], dim=1)
        messages: dict[int, list[tuple[_Path, list[Tensor]]]] = {}
        for path, weight in zip(self._paths, weights, strict=True):
            message = _message(path, neighbours[path.source], couplings, weight)
            messages.setdefault(path.dim_out, []).append((path, message))
        sums: dict[int, Tensor] = {}
        for group in messages.values():
            sums |= _summed(group, edge_dst, x.size(0))
        return torch.cat([sums[entry] for entry in range(self._n_out)], dim=1)

    def _of_neighbours(self, x: Tensor, edge_src: Tensor) -> list[tuple[Tensor, ...]]:
        """For each entry of the features, the components of each pair's neighbour: (pairs, channels) each."""
        blocks = []
        parts = torch.split(x, [channels * dim for channels, dim in self._blocks], dim=1)
        for part, (channels, dim) in zip(parts, self._blocks, strict=True):
            turned = part.view(-1, channels, dim).transpose(1, 2).reshape(-1, dim * channels)
            blocks.append(torch.split(torch.index_select(turned, 0, edge_src), channels, dim=1))
        return blocks


def with_channels_last(network: GraphModel) -> GraphModel:
    """Replace every tensor product of a NequIP network, in place; its parameters and their names stay."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, TensorProductScatter):
                setattr(module, name, ChannelsLast(child))
    return network


def _path(
    instruction: Instruction, features: o3.Irreps, harmonics: o3.Irreps, out: o3.Irreps, columns: list[Tensor]
) -> _Path:  # fmt: skip
    """Describe one of e3nn's paths, and add its coefficients to the columns."""
    channels, first = features[instruction.i_in1]
    second, third = harmonics[instruction.i_in2].ir, out[instruction.i_out].ir
    place = harmonics.slices()[instruction.i_in2]
    coefficients = instruction.path_weight * o3.wigner_3j(
        first.l, second.l, third.l, dtype=torch.float64, device="cpu"
    )
    couplings = {}
    for component in range(third.dim):
        for source in range(first.dim):
            values = coefficients[source, :, component]
            if float(values.abs().max()) > _ZERO:
                column = torch.zeros(harmonics.dim, dtype=torch.float64)
                column[place] = values
                couplings[component, source] = len(columns)
                columns.append(column)
    return _Path(
        source=instruction.i_in1, target=instruction.i_out, dim_in=first.dim, dim_out=third.dim,
        channels=channels, couplings=couplings,
    )  # fmt: skip


def _message(
    path: _Path, neighbours: tuple[Tensor, ...], couplings: tuple[Tensor, ...], weight: Tensor
) -> list[Tensor]:
    """Return the components of each pair's message, (pairs, channels) each."""
    weigh_first = path.dim_in <= path.dim_out  # whichever side has fewer components is multiplied
    sources = [part * weight for part in neighbours] if weigh_first else neighbours
    components = []
    for component in range(path.dim_out):
        terms = [
            couplings[path.couplings[component, source]] * sources[source]
            for source in range(path.dim_in)
            if (component, source) in path.couplings
        ]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        components.append(total if weigh_first else total * weight)
    return components


def _summed(group: list[tuple[_Path, list[Tensor]]], edge_dst: Tensor, n_atoms: int) -> dict[int, Tensor]:
    """Sum the messages of all paths to one degree over neighbours; return e3nn's layout by entry of the output."""
    channels = [path.channels for path, _ in group]
    dim = group[0][0].dim_out
    messages = torch.cat([parts[component] for component in range(dim) for _, parts in group], dim=1)
    total = torch.zeros(n_atoms, messages.size(1), dtype=messages.dtype, device=messages.device)
    total = total.index_add(0, edge_dst, messages).view(n_atoms, dim, sum(channels)).transpose(1, 2)
    parts = torch.split(total, channels, dim=1)
    return {path.target: part.reshape(n_atoms, -1) for (path, _), part in zip(group, parts, strict=True)}
