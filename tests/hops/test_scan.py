"""A scan of a hop finds the height of a pass that is known in closed form, and tells what is no hop."""

import numpy as np
import pytest
from ase import Atoms

from core.errors import BarrierError
from core.hops.mirror import mirror
from core.hops.scan import Hop, scan
from core.potentials import Evaluation, Potential
from tests.dynamics.toys import card

LENGTH_A = 4.0
HEIGHT_EV = 0.6


class Pass(Potential):
    """Three host atoms on springs, and an ion on a landscape that goes with them.

    Along x it is `height` sin^2(pi x / L) plus a dip in the middle, across it a valley that bends by `bend` half way.
    """

    def __init__(self, *, bend_a: float = 0.0, dip_ev: float = 0.0, wild: bool = False) -> None:
        super().__init__(card(), device="cpu")
        self.bend_a, self.dip_ev, self.wild = bend_a, dip_ev, wild
        self.home: np.ndarray | None = None

    def _evaluate(self, atoms: Atoms) -> Evaluation:
        if self.home is None:
            self.home = atoms.positions[:-1].copy()
        host = atoms.positions[:-1] - self.home
        mean = host.mean(axis=0)
        x, y, z = atoms.positions[-1] - np.array([1.0, 6.0, 6.0]) - mean
        wave = np.pi / LENGTH_A
        valley, slope = self.bend_a * np.sin(wave * x) ** 2, self.bend_a * wave * np.sin(2 * wave * x)
        energy = (
            HEIGHT_EV * np.sin(wave * x) ** 2 - self.dip_ev * np.sin(wave * x) ** 4
            + 2.0 * (y - valley) ** 2 + 2.0 * z**2
        )  # fmt: skip
        if self.wild:
            energy *= 40.0
        dx = (
            HEIGHT_EV * wave * np.sin(2 * wave * x)
            - self.dip_ev * 2 * wave * np.sin(wave * x) ** 2 * np.sin(2 * wave * x)
            - 4.0 * (y - valley) * slope
        )  # fmt: skip
        gradient = np.array([dx, 4.0 * (y - valley), 4.0 * z]) * (40.0 if self.wild else 1.0)
        apart = host - mean
        forces = np.zeros((len(atoms), 3))
        forces[-1] = -gradient
        forces[:-1] = gradient / len(host) - 6.0 * apart
        return Evaluation(
            energy_ev=float(energy + 3.0 * (apart**2).sum()), forces_ev_per_a=forces, stress_ev_per_a3=np.zeros((3, 3)),
        )  # fmt: skip


def hop(step_a: float = LENGTH_A) -> Hop:
    places = [[3.0, 1.5, 1.5], [3.9, 9.5, 2.0], [2.5, 2.0, 9.5], [1.0, 6.0, 6.0]]
    atoms = Atoms("O3Mg", positions=places, cell=[12.0, 12.0, 12.0], pbc=True)
    return Hop(id="pass", atoms=atoms, step_a=np.array([step_a, 0.0, 0.0]))


def test_a_straight_pass_is_as_high_as_it_is() -> None:
    profile = scan(hop(), Pass())
    assert profile.barrier_ev == pytest.approx(HEIGHT_EV, abs=1e-3)
    assert profile.back_ev == pytest.approx(HEIGHT_EV, abs=1e-3)
    assert profile.converged and len(profile.images) == 7


def test_a_bent_way_is_followed_to_the_side() -> None:
    profile = scan(hop(), Pass(bend_a=0.8))
    assert profile.barrier_ev == pytest.approx(HEIGHT_EV, abs=5e-3)
    start, middle = (profile.images[i].atoms.positions for i in (0, 3))
    aside = (middle[-1] - start[-1]) - (middle[:-1] - start[:-1]).mean(axis=0)
    assert aside[1] == pytest.approx(0.8, abs=0.03)


def test_a_rest_on_the_way_is_climbed_out_of() -> None:
    # E = a s - d s^2 with s = sin^2: highest at s = a/2d, a^2/4d; the middle lies at a - d
    dip_ev = 0.9
    profile = scan(hop(), Pass(dip_ev=dip_ev), n_planes=7)
    top_ev, middle_ev = HEIGHT_EV**2 / (4 * dip_ev), HEIGHT_EV - dip_ev
    assert profile.barrier_ev == pytest.approx(top_ev - middle_ev, abs=0.01)
    assert profile.energies_ev[4] == pytest.approx(middle_ev, abs=5e-3)


@pytest.mark.parametrize(
    ("potential", "step_a", "verdict", "words"),
    [
        (Pass(wild=True), LENGTH_A, "wild", "an image is broken"),
        (Pass(), 0.2 * LENGTH_A, "no site", "does not stay on one of its sites"),
    ],
)
def test_what_is_no_hop_says_so(potential: Pass, step_a: float, verdict: str, words: str) -> None:
    with pytest.raises(BarrierError, match=words) as caught:
        scan(hop(step_a), potential)
    assert caught.value.verdict == verdict


def test_a_hop_higher_than_asked_about_is_left_at_its_middle() -> None:
    whole, left = scan(hop(), Pass()), scan(hop(), Pass(), limit_ev=HEIGHT_EV - 0.2)
    assert whole.whole and not left.whole
    assert [image.way for image in left.images] == pytest.approx([0.0, 0.5, 1.0])
    assert left.barrier_ev == pytest.approx(HEIGHT_EV, abs=1e-3) and left.n_forces < whole.n_forces
    near = scan(hop(), Pass(), limit_ev=HEIGHT_EV - 0.05)
    assert near.whole and near.barrier_ev == pytest.approx(whole.barrier_ev)


def test_a_guide_finds_the_path_and_the_potential_prices_it() -> None:
    heard: list[int] = []
    alone = scan(hop(), Pass(bend_a=0.8))
    guided = scan(hop(), Pass(bend_a=0.8), guide=Pass(bend_a=0.7), on_step=heard.append)
    assert guided.barrier_ev == pytest.approx(alone.barrier_ev, abs=0.01)
    assert guided.n_forces < alone.n_forces
    assert heard == sorted(heard) and heard[-1] > guided.n_forces  # the guide's are heard of too


def test_a_hop_of_no_length_is_refused() -> None:
    with pytest.raises(BarrierError, match=r"0\.10 angstrom; 0\.5 to 15"):
        hop(0.1)


def test_a_hop_that_symmetry_turns_around_is_worked_out_by_half() -> None:
    atoms = Atoms(
        "O4Mg", positions=[[3.0, 2.0, 6.0], [3.0, 10.0, 6.0], [3.0, 6.0, 2.0], [3.0, 6.0, 10.0], [1.0, 6.0, 6.0]],
        cell=[12.0, 12.0, 12.0], pbc=True,
    )  # fmt: skip
    whole = Hop(id="turned", atoms=atoms, step_a=np.array([LENGTH_A, 0.0, 0.0]))
    turning = mirror(whole.atoms, whole.step_a)
    assert turning is not None
    np.testing.assert_allclose(turning.turned(atoms).positions[-1], [1.0 + LENGTH_A, 6.0, 6.0], atol=1e-9)
    profile = scan(whole, Pass())
    assert [image.way for image in profile.images] == pytest.approx(np.linspace(0, 1, 7))
    assert profile.barrier_ev == pytest.approx(HEIGHT_EV, abs=5e-3) and profile.back_ev == profile.barrier_ev
    assert mirror(hop().atoms, hop().step_a) is None
    assert profile.n_forces < 0.7 * scan(hop(), Pass()).n_forces
