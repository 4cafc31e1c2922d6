"""How high an ion must climb to pass through a host, at both ends of discharge.

Both ends are relaxed first, as a run of their own. Of the hops between the ion's sites one of each kind that symmetry
tells apart is worked out: a vacancy in the full host, an ion in the empty one. A hop's barrier is its largest climb in
either direction, so that a network of hops is as passable as its worst hop on the best way through,

    B_d = min over ways that lead without end in d dimensions of max over their hops of the barrier.

Hops come shortest first; once those known lead as far as all hops together, one that rises above what they cost is left
there, since it can change nothing. Another potential may find the paths (`guide`), and relax the ends for them. The
barrier of the material is B_1 of the worse end: an ion has to get out of the full host and into the empty one.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from ase.io import write

from core.artifacts import write_text
from core.calculations.base import Context, CrystalSpec, Figure, Result, Spec, Stopped
from core.calculations.kinds.relaxation import RelaxationResult, RelaxationSpec, loaded_potential
from core.errors import BarrierError, CalculationError, RecordError, UnsupportedElementError
from core.hops.cells import ENDS, End, hop_cell
from core.hops.choice import GUIDES, barrier_potential
from core.hops.network import DIMENSIONS, MAX_HOP_A, Network, NetworkHop, limit, network, reach
from core.hops.scan import N_PLANES, Profile, scan
from core.hops.spread import barrier_std_ev
from core.potentials import Potential, potential_card
from core.provenance import Provenance
from core.records import Crystal

NO_WAY: Final = "no way through"
VERDICTS: Final = ("three dimensions", "two dimensions", "one dimension", NO_WAY)
"""How far the ion gets at both ends; below a barrier of hops that could be worked out."""

_EXPECTED_FORCES: Final = 130
"""Of one hop, for the bar of progress alone."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HopBarrier:
    """One kind of hop at one end of discharge.

    `path`: (n, 3) places of the ion in units of the crystal's cell, `ways` and `energies_ev` (n,) beside them. A hop
    that was left, being too high to matter, has `above_ev`, which its barrier is above, for a barrier. All are empty,
    with the `reason`, where it could not be worked out.
    """

    end: str
    label: int
    length_a: float
    n_atoms: int
    barrier_ev: float | None = None
    forward_ev: float | None = None
    back_ev: float | None = None
    converged: bool = False
    n_forces: int = 0
    ways: tuple[float, ...] = ()
    energies_ev: tuple[float, ...] = ()
    path: tuple[tuple[float, float, float], ...] = ()
    reason: str = ""
    above_ev: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class EndBarriers:
    """What one end of discharge lets through: the lowest barrier (eV) to get on without end in 1, 2, 3 dimensions."""

    end: str
    crystal: Crystal
    one_ev: float | None
    two_ev: float | None
    three_ev: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class BarrierResult(Result):
    """The barrier of a material with its standard deviation, of each end, and all hops behind them."""

    kind: ClassVar[str] = "barrier"

    potential: str
    barrier_ev: float | None
    barrier_std_ev: float | None
    ends: tuple[EndBarriers, ...]
    hops: tuple[HopBarrier, ...]

    def figures(self) -> dict[str, Figure]:
        """Return the barrier and its standard deviation."""
        return {"barrier_ev": self.barrier_ev, "barrier_std_ev": self.barrier_std_ev}


@dataclass(frozen=True, kw_only=True, eq=False)
class BarrierSpec(CrystalSpec):
    """Barriers of a crystal's working ion by a potential; hops of up to `max_hop_a`, `n_planes` points on each.

    `guide`: the potential that relaxes the ends and finds the paths, None where it is the same.
    """

    kind: ClassVar[str] = "barrier"
    title: ClassVar[str] = "Migration barrier"
    result_type: ClassVar[type[BarrierResult]] = BarrierResult

    potential: str
    potential_sha256: str
    max_hop_a: float = MAX_HOP_A
    n_planes: int = N_PLANES
    guide: str | None = None
    guide_sha256: str | None = None

    @classmethod
    def planned(
        cls, crystal: Crystal, working_ion: str = "Mg", *, potential: str | None = None, device: str = "auto"
    ) -> "BarrierSpec":  # fmt: skip
        """Return the spec for a crystal with a potential as it is now; None: the most accurate at hand."""
        name = potential or barrier_potential()
        guide = GUIDES.get(name)
        return cls(
            crystal=crystal, working_ion=working_ion, potential=name, potential_sha256=potential_card(name).sha256,
            guide=guide, guide_sha256=None if guide is None else potential_card(guide).sha256, device=device,
        )  # fmt: skip

    def check(self) -> None:
        """Raise for a crystal without ions or host, and for numbers out of range."""
        super().check()
        self.relaxation.check()
        if not 1.0 <= self.max_hop_a <= 8.0 or not 1 <= self.n_planes <= 15:
            raise RecordError(
                f"Hops of up to {self.max_hop_a} angstrom with {self.n_planes} points: 1 to 8 and 1 to 15 are possible."
            )

    @property
    def relaxation(self) -> RelaxationSpec:
        """The relaxed ends that the hops are worked out in."""
        return RelaxationSpec(
            crystal=self.crystal, working_ion=self.working_ion, potential=self.guide or self.potential,
            potential_sha256=self.guide_sha256 or self.potential_sha256, device=self.device, seed=self.seed,
        )  # fmt: skip

    @property
    def label(self) -> str:
        """The potential and the barrier."""
        return f"{self.potential}-barrier"

    def settings(self) -> dict[str, Figure]:
        """Return the potential."""
        return {"potential": self.potential}

    def needs(self) -> Sequence[Spec]:
        """Return the relaxation of the ends."""
        return (self.relaxation,)

    def run(self, context: Context) -> BarrierResult:
        """Work out one hop after another, each kept in the folder once it is done."""
        relaxed, _ = context.needed(self.relaxation)
        if not isinstance(relaxed, RelaxationResult):
            raise CalculationError(
                f"{self.relaxation.name} is no relaxation; move its folder aside and resume."
            )
        full, empty = relaxed.discharged.crystal, relaxed.charged.crystal
        sites = network(full, self.working_ion, max_hop_a=self.max_hop_a)
        work = _Work(self, context, loaded_potential(self.potential, context.device))
        hosts: dict[End, Crystal] = {"full": full, "empty": empty}
        chosen = [
            (end, hop)
            for end in ENDS
            for hop in sites.distinct
            if end == "empty" or max(hop.start, hop.end) < sites.n_ions
        ]
        hops: list[HopBarrier] = []
        for end, hop in chosen:
            limit_ev = limit(sites, _known_ev(end, hops))
            hops.append(work.hop(hosts[end], sites, hop, end, limit_ev, len(chosen)))
        ends = tuple(_end(end, hosts[end], sites, hops) for end in ENDS)
        barrier_ev, verdict, reason = _verdict(ends, hops)
        return BarrierResult(
            verdict=verdict, reason=reason, notes=_notes(relaxed, sites, hops), potential=self.potential,
            barrier_ev=barrier_ev, barrier_std_ev=barrier_std_ev(barrier_ev, self.potential), ends=ends,
            hops=tuple(hops),
            provenance=Provenance(
                kind=self.kind, model_name=self.potential, model_sha256=self.potential_sha256, seed=self.seed,
                device=context.device,
            ),
        )  # fmt: skip


class _Work:
    """Works out the hops of one spec, keeping each in the run's folder, and tells how far it is."""

    def __init__(self, spec: BarrierSpec, context: Context, potential: Potential) -> None:
        self.spec, self.context, self.potential = spec, context, potential
        self.guide = None if spec.guide is None else loaded_potential(spec.guide, context.device)
        for used in filter(None, (potential, self.guide)):
            context.works_with(used)
        self._n_done = self._n_forces = 0

    def hop(
        self, host: Crystal, sites: Network, hop: NetworkHop, end: End, limit_ev: float, n_hops: int
    ) -> HopBarrier:  # fmt: skip
        """Return one hop, or what an earlier sitting left of it; one that cannot be worked out says why."""
        name = f"{end}-{hop.label}"
        if (found := self.context.kept(name, HopBarrier)) is None:
            self.context.say(f"hop of {hop.length_a:.2f} angstrom, {end} host")
            found = self._worked_out(host, sites, hop, end, limit_ev, n_hops)
            self.context.keep(name, found)
        self._n_done += 1
        self._n_forces += found.n_forces
        return found

    def _worked_out(
        self, host: Crystal, sites: Network, hop: NetworkHop, end: End, limit_ev: float, n_hops: int
    ) -> HopBarrier:  # fmt: skip
        told: dict[str, Any] = {"end": end, "label": hop.label, "length_a": hop.length_a, "n_atoms": 0}

        def hear(n: int) -> None:
            if self.context.should_stop():
                raise Stopped
            share = min(1.0, n / _EXPECTED_FORCES)
            self.context.report(
                {"step": self._n_forces + n, "fraction": (self._n_done + share) / n_hops, "eta_s": None}
            )

        images = self.context.folder / f"images-{end}-{hop.label}.extxyz"
        try:
            cell = hop_cell(host, self.spec.working_ion, sites, hop, end)
            told["n_atoms"] = len(cell.atoms)
            profile = scan(
                cell,
                self.potential,
                guide=self.guide,
                n_planes=self.spec.n_planes,
                limit_ev=limit_ev,
                on_step=hear,
            )
        except (BarrierError, UnsupportedElementError) as error:
            return HopBarrier(**told, reason=str(error))
        write_text(images, _as_extxyz(profile))
        if profile.whole:
            told |= {"barrier_ev": max(profile.barrier_ev, profile.back_ev), "forward_ev": profile.barrier_ev}
            told |= {"back_ev": profile.back_ev, "converged": profile.converged}
        else:
            told["above_ev"] = limit_ev
        return HopBarrier(
            **told, n_forces=profile.n_forces, ways=tuple(image.way for image in profile.images),
            energies_ev=tuple(float(it) for it in profile.energies_ev), path=_path(profile, host),
        )  # fmt: skip


def _as_extxyz(profile: Profile) -> str:
    """All atoms at all points, with energies over the start (eV): where a band by first principles can begin."""
    frames = []
    for image in profile.images:
        atoms = image.atoms.copy()
        atoms.info = {"way": image.way, "energy_over_start_ev": image.energy_ev}
        frames.append(atoms)
    text = io.StringIO()
    write(text, frames, format="extxyz")
    return text.getvalue()


def _path(profile: Profile, host: Crystal) -> tuple[tuple[float, float, float], ...]:
    """Return where the ion was, in units of the crystal's own cell."""
    inverse = np.linalg.inv(np.asarray(host.lattice_a))
    places = [image.atoms.positions[-1] @ inverse for image in profile.images]
    return tuple((float(x), float(y), float(z)) for x, y, z in places)


def _known_ev(end: End, hops: Sequence[HopBarrier]) -> dict[int, float]:
    return {hop.label: hop.barrier_ev for hop in hops if hop.end == end and hop.barrier_ev is not None}


def _end(end: End, crystal: Crystal, sites: Network, hops: Sequence[HopBarrier]) -> EndBarriers:
    reached = reach(sites, _known_ev(end, hops))
    one, two, three = (reached[dimension] for dimension in DIMENSIONS)
    return EndBarriers(end=end, crystal=crystal, one_ev=one, two_ev=two, three_ev=three)


def _verdict(
    ends: Sequence[EndBarriers], hops: Sequence[HopBarrier]
) -> tuple[float | None, str, str]:  # fmt: skip
    """Return the barrier in one dimension of the worse end, in how many dimensions ions get on at both, and words."""
    shut = [end.end for end in ends if end.one_ev is None]
    if shut:
        failed = [hop.reason for hop in hops if hop.end in shut and hop.reason]
        why = f": {failed[0]}" if failed else "; the hops between its sites lead nowhere."
        return None, NO_WAY, f"No way through the {' and the '.join(shut)} host{why}"
    barrier_ev = max(end.one_ev for end in ends if end.one_ev is not None)
    told = ", ".join(f"{end.end} {end.one_ev:.2f} eV" for end in ends)
    n = (
        3
        if all(end.three_ev is not None for end in ends)
        else 2
        if all(end.two_ev is not None for end in ends)
        else 1
    )
    return (
        barrier_ev,
        VERDICTS[3 - n],
        f"Barrier of the easiest way: {told}. Ions get on in {VERDICTS[3 - n]}.",
    )


def _notes(relaxed: RelaxationResult, sites: Network, hops: Sequence[HopBarrier]) -> tuple[str, ...]:
    notes = []
    if not (relaxed.discharged.converged and relaxed.charged.converged):
        notes.append("An end did not relax to the force asked for: barriers in it are not to be trusted.")
    if len(sites.frac) > sites.n_ions:
        notes.append("The ion's own sites lead nowhere: voids of the host are sites of the empty end too.")
    if failed := [f"{hop.end} host, {hop.length_a:.2f} angstrom: {hop.reason}" for hop in hops if hop.reason]:
        notes.append(f"{len(failed)} of {len(hops)} hops could not be worked out. " + " ".join(failed))
    if loose := sum(not hop.converged for hop in hops if hop.barrier_ev is not None):
        which = "one hop" if loose == 1 else f"{loose} hops"
        notes.append(f"In {which} forces were left at a point: the barrier may come down a little.")
    return tuple(notes)


SPEC: Final = BarrierSpec
