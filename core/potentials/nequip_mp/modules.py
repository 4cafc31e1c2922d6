"""What SevenNet-0 has and nequip lacks, and one module of nequip's made faster.

This file goes into the nequip package as it is, with what it imports: so `e3nn` by module, as nequip itself does, since
all of `e3nn.o3` would want sympy, and nothing of this project.
"""

from collections.abc import Sequence
from typing import Any

import torch
from e3nn.o3._irreps import Irreps
from e3nn.o3._linear import Linear
from e3nn.o3._wigner import wigner_3j
from torch import Tensor


class XplorCutoff(torch.nn.Module):
    """XPLOR switch: 1 below `switch_on`, then falling to 0 at the cutoff with a continuous slope.

    With x = r / r_cut and a = (r_on / r_cut)^2: S = (1 - x^2)^2 (1 + 2 x^2 - 3 a) / (1 - a)^3 for a < x^2 < 1.
    """

    def __init__(self, switch_on: float) -> None:
        super().__init__()
        self.on_squared = switch_on**2

    def forward(self, x: Tensor) -> Tensor:
        """Return the switch at normalised distances x = r / r_cut, any shape."""
        square, on = x * x, self.on_squared
        falling = (1.0 - square) ** 2 * (1.0 + 2.0 * square - 3.0 * on) / (1.0 - on) ** 3
        return torch.where(square < on, torch.ones_like(square), falling) * (x < 1.0)


class LinearSelfConnection(torch.nn.Module):
    """A self-connection that is the same for every element, where nequip's own depends on it."""

    def __init__(self, irreps_in: Irreps, irreps_out: Irreps) -> None:
        super().__init__()
        self.linear = Linear(irreps_in, irreps_out)

    def forward(self, x: Tensor, node_attrs: Tensor) -> Tensor:
        """Return the mixed features; `node_attrs` are part of nequip's call and not used."""
        mixed: Tensor = self.linear(x)
        return mixed


class NeighbourSum(torch.nn.Module):
    """nequip's tensor product of neighbour features with spherical harmonics, summed over the neighbours.

    out[i, k, u] = sum_j w[ij, p, u] sum_mn C_p[m, n, k] Y[ij, n] x[j, m, u] for each path p of (l1, l2, l3): the
    sum over neighbours j and components m is one matrix product an atom and path, so that nothing of the size
    (edges, features out) is ever stored, which is what e3nn's form spends its time on.
    """

    def __init__(
        self, irreps_in: Irreps, irreps_sh: Irreps, irreps_out: Irreps, paths: Sequence[Any]
    ) -> None:
        super().__init__()
        self.blocks = [(mul, ir.dim) for mul, ir in irreps_in]
        self.harmonics = [part.stop - part.start for part in irreps_sh.slices()]
        self.paths = [(path[0], path[1]) for path in paths]
        self.order = sorted(range(len(paths)), key=lambda index: int(paths[index][2]))
        for index, (first, second, out, *_) in enumerate(paths):
            ir_out = irreps_out[out].ir
            # e3nn's "component" normalisation of a path of its own.
            coupling = ir_out.dim**0.5 * wigner_3j(irreps_in[first].ir.l, irreps_sh[second].ir.l, ir_out.l)
            self.register_buffer(f"coupling_{index}", coupling, persistent=False)

    def forward(
        self, x: Tensor, edge_attr: Tensor, edge_weight: Tensor, edge_dst: Tensor, edge_src: Tensor
    ) -> Tensor:
        """Return (n_atoms, irreps_out) sums; x: (n_atoms, irreps_in), edge_attr: (n_edges, harmonics).

        `edge_weight`: (n_edges, weights), `edge_dst`: (n_edges,) atom that sums, `edge_src`: (n_edges,) neighbour.
        """
        n_atoms = x.shape[0]
        edge_of, source = _rows_of_equal_length(edge_dst, edge_src, n_atoms)
        harmonics = _padded(edge_attr)[edge_of]
        weight = _padded(edge_weight)[edge_of]
        return self._sum(self._neighbours(x, source), harmonics, weight, n_atoms)

    def _neighbours(self, x: Tensor, source: Tensor) -> list[Tensor]:
        """(n_atoms, K, components, features) of the neighbours, one tensor a block of irreps."""
        gathered = []
        blocks = torch.split(x, [multiplicity * dim for multiplicity, dim in self.blocks], dim=1)
        for block, (multiplicity, dim) in zip(blocks, self.blocks, strict=True):
            gathered.append(block.reshape(-1, multiplicity, dim).transpose(1, 2).contiguous()[source])
        return gathered

    def _sum(self, neighbours: list[Tensor], harmonics: Tensor, weight: Tensor, n_atoms: int) -> Tensor:
        # `split`, since the gradient of a slice would fill a whole tensor with zeros a path.
        degrees = torch.split(harmonics, self.harmonics, dim=2)
        weights = torch.split(weight, [self.blocks[first][0] for first, _ in self.paths], dim=2)
        sums = []
        for index, (first, second) in enumerate(self.paths):
            weighted = neighbours[first] * weights[index][:, :, None]
            turned = torch.einsum("akn,mnc->akmc", degrees[second], getattr(self, f"coupling_{index}"))
            out = turned.flatten(1, 2).transpose(1, 2) @ weighted.flatten(1, 2)
            sums.append(out.transpose(1, 2).reshape(n_atoms, -1))
        return torch.cat([sums[index] for index in self.order], dim=1)


def _padded(values: Tensor) -> Tensor:
    """The rows with one of zeros behind them, which stands for "no neighbour"."""
    return torch.cat([values, values.new_zeros(1, values.shape[1])])


def _rows_of_equal_length(edge_dst: Tensor, edge_src: Tensor, n_atoms: int) -> tuple[Tensor, Tensor]:
    """(n_atoms, K) edge of each place and its neighbour; a place without neighbour has edge n_edges, neighbour 0."""
    n_edges = edge_dst.shape[0]
    order = torch.argsort(edge_dst, stable=True)
    counts = torch.bincount(edge_dst, minlength=n_atoms)
    longest = int(counts.max()) if n_edges else 0
    place = torch.arange(n_edges, device=edge_dst.device) - (counts.cumsum(0) - counts)[edge_dst[order]]
    edge_of = edge_dst.new_full((n_atoms, longest), n_edges)
    edge_of[edge_dst[order], place] = order
    source = torch.cat([edge_src, edge_src.new_zeros(1)])[edge_of]
    return edge_of, source
