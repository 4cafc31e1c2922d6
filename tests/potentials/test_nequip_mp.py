"""`nequip-mp` against SevenNet's own package, and its parts against those they stand for."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from e3nn.o3 import Irreps
from nequip.nn._tp_scatter_base import TensorProductScatter
from safetensors.numpy import load_file

from core.errors import ModelError, PotentialError
from core.potentials import Potential, load_potential, sevennet
from core.potentials.build_nequip_mp import build_nequip_mp, licence_text, refuse_deviations
from core.potentials.files import shipped_folder
from core.potentials.nequip_mp import mapping
from core.potentials.nequip_mp.modules import NeighbourSum, XplorCutoff
from core.provenance import sha256_of_file
from tests.potentials.structures import PROTOTYPES, rattled, record


@pytest.mark.parametrize("name", PROTOTYPES)
def test_same_energies_forces_and_stress_as_sevenns_own_calculator(name: str, nequip_mp: Potential) -> None:
    calculators = pytest.importorskip("sevenn.calculator", reason="sevenn, the reference, is not installed")
    atoms = rattled(name)
    atoms.calc = _own_calculator(calculators)
    found = nequip_mp.evaluate(atoms)
    assert found.energy_ev / len(atoms) == pytest.approx(atoms.get_potential_energy() / len(atoms), abs=1e-4)
    assert found.forces_ev_per_a == pytest.approx(atoms.get_forces(), abs=1e-4)
    assert found.stress_ev_per_a3 == pytest.approx(atoms.get_stress(voigt=False), abs=1e-4)


_calculators: list = []


def _own_calculator(module):
    if not _calculators:
        _calculators.append(module.SevenNetCalculator("7net-0", device="cpu"))
    return _calculators[0]


@pytest.mark.parametrize("name", ["MgMn2O4", "MgTiS2", "CsCl"])
def test_the_same_numbers_to_the_last_digits_in_float64(
    name: str, nequip_mp: Potential, sevennet: Potential
) -> None:
    atoms = rattled(name)
    ours, theirs = nequip_mp.evaluate(atoms), sevennet.evaluate(atoms)
    assert ours.energy_ev == pytest.approx(theirs.energy_ev, abs=1e-7)
    assert ours.forces_ev_per_a == pytest.approx(theirs.forces_ev_per_a, abs=1e-7)
    assert ours.stress_ev_per_a3 == pytest.approx(theirs.stress_ev_per_a3, abs=1e-7)


@pytest.mark.parametrize("name", ["MgMn2O4", "MgTiS2", "CsCl", "Mg"])
def test_the_same_description_as_sevennets(name: str, nequip_mp: Potential, sevennet: Potential) -> None:
    crystal = record(rattled(name))
    ours, theirs = nequip_mp.describe(crystal), sevennet.describe(crystal)
    assert ours.vectors.shape == (crystal.n_sites, 128)
    assert ours.site_energies_ev == pytest.approx(theirs.site_energies_ev, abs=1e-6)
    assert ours.vectors == pytest.approx(theirs.vectors, abs=1e-6)
    assert ours.energy_ev == pytest.approx(nequip_mp.evaluate(rattled(name)).energy_ev, abs=1e-9)


def test_single_precision_is_close(nequip_mp: Potential) -> None:
    single, atoms = load_potential("nequip-mp", device="cpu", dtype="float32"), rattled("MgMn2O4")
    rough, exact = single.evaluate(atoms), nequip_mp.evaluate(atoms)
    assert rough.energy_ev / len(atoms) == pytest.approx(exact.energy_ev / len(atoms), abs=1e-5)
    assert rough.forces_ev_per_a == pytest.approx(exact.forces_ev_per_a, abs=1e-4)


def test_all_elements_of_the_training_data(nequip_mp: Potential) -> None:
    assert len(nequip_mp.card.elements) == 89


def test_the_model_is_built_without_sevenn_and_leaves_torch_alone() -> None:
    """Seeds, default type and modules after loading are as before."""
    program = (
        "import sys, random, torch, numpy\n"
        "torch.manual_seed(5); numpy.random.seed(5); random.seed(5)\n"
        "expected = (torch.rand(1).item(), numpy.random.rand(), random.random())\n"
        "torch.manual_seed(5); numpy.random.seed(5); random.seed(5)\n"
        "from core.potentials import load_potential\n"
        "load_potential('nequip-mp', device='cpu')\n"
        "found = (torch.rand(1).item(), numpy.random.rand(), random.random())\n"
        "sys.exit(found != expected or torch.get_default_dtype() != torch.float32 or 'sevenn' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_xplor_is_one_then_falls_smoothly_to_nothing() -> None:
    switch = XplorCutoff(0.9)
    x = torch.tensor([0.1, 0.9, 0.9 + 1e-7, 1.0 - 1e-7, 1.0, 1.3], dtype=torch.float64, requires_grad=True)
    values = switch(x)
    assert values.detach().numpy() == pytest.approx([1, 1, 1, 0, 0, 0], abs=1e-10)
    values.sum().backward()
    assert x.grad is not None and x.grad.numpy() == pytest.approx(np.zeros(6), abs=1e-3)


@pytest.mark.parametrize("seed", [0, 1])
def test_neighbour_sum_is_nequips_tensor_product(seed: int) -> None:
    """Values and gradients; atom 1 has no neighbour, edges come in any order."""
    irreps, harmonics = Irreps("5x0e+4x1e+3x2e"), Irreps("0e+1e+2e")
    generator = torch.Generator().manual_seed(seed)
    mid, paths = _paths(irreps, harmonics)
    with_default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        theirs, ours = (
            TensorProductScatter(irreps, harmonics, mid, paths),
            NeighbourSum(irreps, harmonics, mid, paths),
        )
        target = torch.tensor([0, 2, 0, 3, 2, 0, 2])
        source = torch.tensor([1, 3, 0, 2, 0, 2, 1])
        inputs = [
            torch.randn(size, generator=generator)
            for size in ((4, irreps.dim), (7, 9), (7, theirs.tp.weight_numel))
        ]
        results = []
        for module in (theirs, ours):
            leaves = [value.clone().requires_grad_() for value in inputs]
            out = module(*leaves, target, source)
            out.square().sum().backward()
            results.append([out, *(leaf.grad for leaf in leaves)])
    finally:
        torch.set_default_dtype(with_default)
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def _paths(irreps: Irreps, harmonics: Irreps) -> tuple[Irreps, list[tuple[int, int, int, str, bool]]]:
    found = [
        (mul, result, first, second)
        for first, (mul, ir) in enumerate(irreps)
        for second, (_, edge) in enumerate(harmonics)
        for result in ir * edge
        if result.l <= 2
    ]
    mid, place, _ = Irreps([(mul, result) for mul, result, _, _ in found]).sort()
    return mid, [(first, second, place[i], "uvu", True) for i, (_, _, first, second) in enumerate(found)]


def test_the_build_gives_the_shipped_weights(tmp_path, sevennet: Potential) -> None:
    found = build_nequip_mp(tmp_path)
    assert max(found.values()) < 1e-6
    built, shipped = (load_file(folder / "nequip-mp.safetensors") for folder in (tmp_path, shipped_folder()))
    assert built.keys() == shipped.keys()
    for name, weights in shipped.items():
        # The readout is a product of two matrices, whose last bit the processor decides; all else is copied.
        tolerance = 1e-15 if "energy_readout" in name else 0.0
        np.testing.assert_allclose(built[name], weights, rtol=0.0, atol=tolerance, err_msg=name)
    name = "nequip-mp.LICENSE.txt"
    assert sha256_of_file(tmp_path / name) == sha256_of_file(shipped_folder() / name)


def test_a_build_that_differs_is_refused() -> None:
    refuse_deviations({"energy_ev_per_atom": 1e-9})
    with pytest.raises(ModelError, match="changed its conventions"):
        refuse_deviations({"energy_ev_per_atom": 1e-9, "force_ev_per_a": 1e-5})


def test_a_wheel_without_licence_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sevenn", reason="sevenn, whose licence this is, is not installed")
    assert "MIT License" in licence_text()
    monkeypatch.setattr("core.potentials.build_nequip_mp._LICENCE_FILE", "licenses/NONE")
    with pytest.raises(ModelError, match="no licence"):
        licence_text()


def test_other_sevennets_are_refused() -> None:
    config = {
        "is_parity": True, "self_connection_type": "linear", "weight_nn_hidden_neurons": [64, 64],
        "cutoff_function": {"cutoff_function_name": "XPLOR"},
    }  # fmt: skip
    with pytest.raises(ModelError, match="only networks like SevenNet-0"):
        mapping.shape_of(config, torch.nn.Identity())
    with pytest.raises(ModelError, match="another network than SevenNet-0"):
        mapping._put(torch.zeros(2), torch.zeros(3))


def test_a_missing_sevenn_names_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sevenn.util", None)
    with pytest.raises(PotentialError, match="use 'nequip-mp'"):
        sevennet.sevenn_module("sevenn.util")
