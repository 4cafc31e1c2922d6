"""The faster tensor product against e3nn's, alone and inside the network."""

import numpy as np
import pytest
import torch
from ase.build import bulk
from e3nn import o3
from nequip.model import NequIPGNNModel
from nequip.nn._tp_scatter_base import TensorProductScatter
from torch import Tensor

from core.potentials.nequip_mg.network import StudentShape, build_student, weights_of
from core.potentials.nequip_mg.potential import NequipMg, read_card
from core.potentials.nequip_mg.tensor_product import ChannelsLast
from core.potentials.torch_state import nequip_state, torch_state

N_ATOMS, N_PAIRS = 7, 60


def reference(features: str, l_max: int) -> TensorProductScatter:
    """nequip's own, with all paths from the features to the features."""
    entries, harmonics = o3.Irreps(features), o3.Irreps.spherical_harmonics(l_max)
    found = [
        (i, j, (channels, out))
        for i, (channels, source) in enumerate(entries)
        for j, (_, harmonic) in enumerate(harmonics)
        for out in source * harmonic
        if out in entries
    ]
    middle, places, _ = o3.Irreps([entry for _, _, entry in found]).sort()
    instructions = [(i, j, places[k], "uvu", True) for k, (i, j, _) in enumerate(found)]
    return TensorProductScatter(entries, harmonics, middle, instructions)


def inputs(product: TensorProductScatter) -> dict[str, Tensor]:
    """Random features, harmonics and weights; the last atom has no neighbour."""
    torch.manual_seed(0)
    return {
        "x": torch.randn(N_ATOMS, product.feature_irreps_in.dim, requires_grad=True),
        "edge_attr": torch.randn(N_PAIRS, product.irreps_edge_attr.dim, requires_grad=True),
        "edge_weight": torch.randn(N_PAIRS, product.tp.weight_numel, requires_grad=True),
        "edge_dst": torch.randint(0, N_ATOMS - 1, (N_PAIRS,)),
        "edge_src": torch.randint(0, N_ATOMS, (N_PAIRS,)),
    }


@pytest.mark.parametrize(
    ("features", "l_max"),
    [("5x0e", 2), ("4x0e+3x1o", 1), ("4x0e+3x1o+2x2e", 2), ("3x0e+2x0o+2x1o+2x1e", 1), ("2x0e+2x1o+1x2e+1x3o", 3)],
)  # fmt: skip
def test_values_and_gradients_are_e3nns(features: str, l_max: int) -> None:
    with torch_state(torch.float64):
        product = reference(features, l_max)
        given = inputs(product)
        expected, found = product(**given), ChannelsLast(product)(**given)
        assert found.shape == expected.shape and torch.allclose(found, expected, atol=1e-12)
        direction = torch.randn_like(expected)
        leaves = [given[name] for name in ("x", "edge_attr", "edge_weight")]
        gradients = [
            torch.autograd.grad((y * direction).sum(), leaves, create_graph=True) for y in (expected, found)
        ]
        for one, other in zip(*gradients, strict=True):
            assert torch.allclose(one, other, atol=1e-12)
        # forces are fitted, so gradients of gradients count too
        second = [
            torch.autograd.grad(sum(part.square().sum() for part in parts), leaves) for parts in gradients
        ]
        for one, other in zip(*second, strict=True):
            assert torch.allclose(one, other, atol=1e-9)


def test_without_a_pair_nothing_arrives() -> None:
    product = reference("4x0e+3x1o", 1)
    given = {name: value[:0] if "edge" in name else value for name, value in inputs(product).items()}
    assert torch.equal(ChannelsLast(product)(**given), torch.zeros(N_ATOMS, product.irreps_mid.dim))


def test_the_network_is_nequips_own_with_the_same_weights() -> None:
    """What is packaged for nequip's tools is the network without the replacement."""
    shape = StudentShape(
        elements=("Mg", "O"), cutoff_a=4.0, num_layers=3, l_max=2, num_features=(8, 4, 2), type_features=4,
        radial_width=8, avg_num_neighbors=20.0, energy_scale_ev=1.0, energy_shifts_ev=(-1.0, -5.0),
    )  # fmt: skip
    config = shape.model_config(seed=3)
    del config["_target_"]
    with nequip_state():
        plain = NequIPGNNModel(**{**config, "model_dtype": "float64"}).eval()
    faster = build_student(shape, dtype="float64", seed=3)
    assert {name: tuple(value.shape) for name, value in weights_of(plain).items()} == {
        name: tuple(value.shape) for name, value in weights_of(faster).items()
    }
    assert any(isinstance(module, ChannelsLast) for module in faster.modules())
    assert not any(isinstance(module, TensorProductScatter) for module in faster.modules())

    potential = NequipMg(read_card(), device="cpu", dtype="float64")
    potential._see(shape.elements, shape.cutoff_a)
    atoms = bulk("MgO", "rocksalt", a=4.21, cubic=True)
    atoms.rattle(0.1, seed=0)
    results = []
    for network in (plain, faster):
        potential._network = network
        results.append(potential._evaluate(atoms))
    for name in ("energy_ev", "forces_ev_per_a", "stress_ev_per_a3"):
        one, other = (np.asarray(getattr(result, name)) for result in results)
        assert np.abs(one).max() > 1e-6 and other == pytest.approx(one, abs=1e-10)
