"""What a molecular dynamics run is asked to do: everything that decides its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from core.calculations.base import Context, CrystalSpec, Figure, Spec
from core.calculations.kinds.diffusion.result import DiffusionResult
from core.calculations.kinds.refinement import MAX_ROUNDS, RefinementSpec
from core.dynamics import Protocol
from core.errors import CalculationError, ExplorerError, NoWorkingIonError
from core.ions import charge_number
from core.potentials import potential_card
from core.records import Crystal

MAX_SEED: Final = 2**31 - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class DiffusionSpec(CrystalSpec):
    """One simulation of one crystal with one seed, by a potential of these very weights.

    `refine_rounds` of fine-tuning for the material come first, as a calculation of its own that all runs of a material
    share. Make one with `planned`; read one with `core.calculations.read_spec`.
    """

    kind: ClassVar[str] = "diffusion"
    title: ClassVar[str] = "Molecular dynamics"
    result_type: ClassVar[type[DiffusionResult]] = DiffusionResult
    kept_files: ClassVar[tuple[str, ...]] = ("path.npz", "displacements.npz")

    protocol: Protocol
    potential: str
    potential_sha256: str
    refine_rounds: int = 0

    @classmethod
    def planned(
        cls, *, crystal: Crystal, protocol: Protocol, potential: str, working_ion: str = "Mg", device: str = "auto",
        seed: int = 0, refine_rounds: int = 0,
    ) -> "DiffusionSpec":  # fmt: skip
        """Return the spec of a run with the present weights of a potential, after the check that it could run.

        Raises `UnknownIonError`, `NoWorkingIonError`, `PotentialError`, `DeviceError` or `CalculationError`.
        """
        spec = cls(
            crystal=crystal, protocol=protocol, potential=potential, working_ion=working_ion, device=device, seed=seed,
            potential_sha256=potential_card(potential).sha256, refine_rounds=refine_rounds,
        )  # fmt: skip
        spec.check()
        return spec

    def check(self) -> None:
        """Raise for what could not run on this machine with today's potentials."""
        super().check()
        charge_number(self.working_ion)
        if not self.crystal.count(self.working_ion):
            raise NoWorkingIonError(self.crystal.formula, self.working_ion)
        if not 0 <= self.seed <= MAX_SEED:
            raise CalculationError(f"seed {self.seed}; a whole number from 0 to {MAX_SEED} is needed.")
        if not 0 <= self.refine_rounds <= MAX_ROUNDS:
            raise CalculationError(
                f"{self.refine_rounds} rounds of refinement; 0 to {MAX_ROUNDS} are offered."
            )
        card = potential_card(self.potential)
        if self.potential_sha256 != card.sha256:
            raise CalculationError(
                f"The run was planned with {self.potential!r} of SHA-256 {self.potential_sha256[:12]}..., now it has "
                f"{card.sha256[:12]}...: other weights give another run. Start it anew."
            )
        if self.refine_rounds:
            self.refinement().check()

    @property
    def label(self) -> str:
        """Potential, protocol, temperature and seed."""
        return f"{self.potential_name}-{self.protocol.name}-{self.protocol.temperature_k:g}K-s{self.seed}"

    @property
    def potential_name(self) -> str:
        """The potential as results name it."""
        return f"{self.potential} refined" if self.refine_rounds else self.potential

    @property
    def measurement_key(self) -> str:
        """Hash over all but seed and device: runs that share it are seeds of one measurement."""
        return self.key_without("seed", "device")

    def settings(self) -> dict[str, Figure]:
        """Return potential, protocol, temperature and seed."""
        return {
            "potential": self.potential_name, "protocol": self.protocol.name,
            "temperature_k": self.protocol.temperature_k, "seed": self.seed,
        }  # fmt: skip

    def refinement(self) -> RefinementSpec:
        """Return the fine-tuning that this run asks for; all runs of a material share it."""
        return RefinementSpec(
            crystal=self.crystal, working_ion=self.working_ion, device=self.device, potential=self.potential,
            potential_sha256=self.potential_sha256, rounds=self.refine_rounds,
        )  # fmt: skip

    def needs(self) -> Sequence[Spec]:
        """Return the refinement, where one is asked for."""
        return (self.refinement(),) if self.refine_rounds else ()

    def run(self, context: Context) -> DiffusionResult:
        """Build the cell, simulate, measure, compare with the teacher."""
        from core.calculations.kinds.diffusion.work import run

        return run(self, context)

    @classmethod
    def upgraded(cls, given: Mapping[str, Any], version: int) -> Mapping[str, Any]:
        """Return the fields of a run of before there were kinds: the id stood beside the crystal, no weights' hash."""
        fields = dict(given)
        crystal = Crystal.from_dict(fields["crystal"])
        fields["crystal"] = replace(crystal, id=fields.pop("id", crystal.id)).to_dict()
        fields.setdefault("potential_sha256", _known_sha256(str(fields.get("potential"))))
        return fields


def _known_sha256(potential: str) -> str:
    """The weights of an old run are those of its time; today's are the best guess, none if the potential is gone."""
    try:
        return potential_card(potential).sha256
    except ExplorerError:
        return ""
