"""The inner step of the crystal convolution, on edges, with its gradient written out: few passes over small pieces.

    out_i = sum_j c_ij sigmoid(g_ij) softplus(h_ij),   (g, h)_ij = BN(a_i + b_j + W u(d_ij))

c_ij counts edges that are alike and stand as one; the batch normalisation counts them as often. A chain of PyTorch's
own operations gives the same numbers, but writes some twenty arrays of the size of all edges, most of its time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_PIECE = 2048
"""Edges at a time, so few that their arrays stay in the processor's cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Edges neighbour -> atom, each (n_edges,): both atoms, the row of the length, how many edges each stands for."""

    atoms: Tensor
    neighbours: Tensor
    lengths: Tensor
    counts: Tensor

    def pieces(self) -> Iterator[slice]:
        """Yield the edges a piece at a time."""
        return (slice(start, start + _PIECE) for start in range(0, len(self.atoms), _PIECE))


class GatedSum(torch.autograd.Function):
    """`apply(atom, neighbour, of_length, scale, shift, edges, statistics, eps)` -> out, mean, variance.

    `atom`, `neighbour`: (n_atoms, 2 f), the terms a and b; `of_length`: (n_lengths, 2 f), W u. `scale`, `shift`: (2 f,)
    of the batch normalisation, `eps` its guard, `statistics` its mean and variance; those of the edges are taken where
    None. out: (n_atoms, f).
    """

    @staticmethod
    def forward(
        ctx: Any, atom: Tensor, neighbour: Tensor, of_length: Tensor, scale: Tensor, shift: Tensor,
        edges: Edges, statistics: tuple[Tensor, Tensor] | None, eps: float,
    ) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
        """Return the sums, and the statistics for the running means."""
        terms, mean, variance = _terms(atom, neighbour, of_length, edges, statistics)
        inverse_std = (variance + eps).rsqrt()
        factor = _signed(scale * inverse_std)
        offset = _signed(shift) - mean * factor
        out = atom.new_zeros(len(atom), len(scale) // 2)
        minus_counts = -edges.counts.unsqueeze(1)
        for piece in edges.pieces():
            gates, log = _gates(terms[piece], factor, offset)
            log *= gates[:, : out.shape[1]]
            out.index_add_(0, edges.atoms[piece], log.mul_(minus_counts[piece]))
        ctx.save_for_backward(terms, mean, inverse_std, factor, offset, minus_counts)
        ctx.sizes, ctx.edges, ctx.learns = (len(atom), len(of_length)), edges, statistics is None
        ctx.mark_non_differentiable(mean, variance)
        return out, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_out: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the first five arguments."""
        terms, mean, inverse_std, factor, offset, minus_counts = ctx.saved_tensors
        edges, (n_atoms, n_lengths) = ctx.edges, ctx.sizes
        of_normed = torch.empty_like(terms)
        of_shift, of_scale = torch.zeros_like(mean), torch.zeros_like(mean)
        for piece in edges.pieces():
            found = of_normed[piece]
            message = of_out.index_select(0, edges.atoms[piece]).mul_(minus_counts[piece])
            _before_gates(found, message, *_gates(terms[piece], factor, offset))
            of_shift += found.sum(0)
            of_scale += (found * terms[piece]).sum(0)
        of_scale = (of_scale - mean * of_shift) * inverse_std
        of_atom, of_neighbour = (terms.new_zeros(n_atoms, len(mean)) for _ in range(2))
        of_length = terms.new_zeros(n_lengths, len(mean))
        # What moves an edge moves mean and variance of the batch too, by its share.
        slope = of_scale * inverse_std
        level, minus_shares = of_shift - mean * slope, minus_counts / edges.counts.sum()
        for piece in edges.pieces():
            found = of_normed[piece]
            if ctx.learns:
                found.addcmul_(torch.addcmul(level, terms[piece], slope), minus_shares[piece])
            of_atom.index_add_(0, edges.atoms[piece], found)
            of_neighbour.index_add_(0, edges.neighbours[piece], found)
            of_length.index_add_(0, edges.lengths[piece], found)
        gradients = (of_atom.mul_(factor), of_neighbour.mul_(factor), of_length.mul_(factor))
        return *gradients, _signed(of_scale), _signed(of_shift), None, None, None


def gated_sum(
    atom: Tensor, neighbour: Tensor, of_length: Tensor, scale: Tensor, shift: Tensor, edges: Edges,
    statistics: tuple[Tensor, Tensor], eps: float,
) -> Tensor:  # fmt: skip
    """Return out of `GatedSum` with given statistics, where no gradient is asked for: no array of all edges is made."""
    mean, variance = statistics
    factor = _signed(scale * (variance + eps).rsqrt())
    atom = torch.addcmul(_signed(shift) - mean * factor, atom, factor)
    neighbour, of_length = neighbour * factor, of_length * factor
    half = len(scale) // 2
    out, minus_counts = atom.new_zeros(len(atom), half), -edges.counts.unsqueeze(1)
    for piece in edges.pieces():
        gates = of_length.index_select(0, edges.lengths[piece])
        gates += atom.index_select(0, edges.atoms[piece])
        gates += neighbour.index_select(0, edges.neighbours[piece])
        log = _minus_softplus(gates.sigmoid_()).mul_(gates[:, :half])
        out.index_add_(0, edges.atoms[piece], log.mul_(minus_counts[piece]))
    return out


def _terms(
    atom: Tensor, neighbour: Tensor, of_length: Tensor, edges: Edges, statistics: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, Tensor, Tensor]:
    """a_i + b_j + W u of each edge, with their mean and variance."""
    terms = atom.new_empty(len(edges.atoms), atom.shape[1])
    mean, square = atom.new_zeros(2, atom.shape[1])
    shares = edges.counts / edges.counts.sum()
    for piece in edges.pieces():
        found = torch.index_select(of_length, 0, edges.lengths[piece], out=terms[piece])
        found += atom.index_select(0, edges.atoms[piece])
        found += neighbour.index_select(0, edges.neighbours[piece])
        if statistics is None:
            mean.addmv_(found.T, shares[piece])
            square.addmv_(found.square().T, shares[piece])
    if statistics is not None:
        return terms, *statistics
    return terms, mean, (square - mean.square()).clamp_min_(0.0)


def _signed(row: Tensor) -> Tensor:
    """A row with its second half, that of softplus, turned round."""
    half = len(row) // 2
    return torch.cat([row[:half], -row[half:]])


def _gates(terms: Tensor, factor: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
    """(sigmoid(g), sigmoid(-h)) side by side, and -softplus(h) = log(sigmoid(-h))."""
    gates = torch.addcmul(offset, terms, factor).sigmoid_()
    return gates, _minus_softplus(gates)


def _minus_softplus(gates: Tensor) -> Tensor:
    return gates[:, gates.shape[1] // 2 :].clamp_min(torch.finfo(gates.dtype).tiny).log_()


def _before_gates(found: Tensor, of_message: Tensor, gates: Tensor, log: Tensor) -> None:
    """Write the gradient before the sigmoids of `_gates` to `found`; `of_message`: minus that of the messages."""
    half = of_message.shape[1]
    torch.mul(of_message, gates[:, :half], out=found[:, half:])
    torch.mul(found[:, half:], log, out=found[:, :half])
    found.addcmul_(found, gates, value=-1.0)
