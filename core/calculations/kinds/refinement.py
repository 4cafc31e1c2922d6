"""Fine-tuning a potential for one material against its teacher: once, shared by all runs of the material."""

from dataclasses import dataclass
from typing import ClassVar, Final

from core.calculations.base import Context, CrystalSpec, Figure, Result
from core.errors import CalculationError
from core.potentials import potential_card, refine_potential
from core.provenance import Provenance

MAX_ROUNDS: Final = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class RefinementResult(Result):
    """Refined weights in the sub-folder `weights`; errors of forces against the teacher.

    `force_mae_ev_per_a[0]` is the error before; one more follows for each round, on frames that no training has seen.
    """

    kind: ClassVar[str] = "refinement"

    weights: str
    force_mae_ev_per_a: tuple[float, ...]
    n_frames: int

    def figures(self) -> dict[str, Figure]:
        """Return the force error after the last round."""
        return {"teacher_force_mae_ev_per_a": self.force_mae_ev_per_a[-1]}


@dataclass(frozen=True, kw_only=True, eq=False)
class RefinementSpec(CrystalSpec):
    """`rounds` of the potential's own dynamics, labelled by the teacher that its card names, and learnt."""

    kind: ClassVar[str] = "refinement"
    title: ClassVar[str] = "Fine-tuning"
    result_type: ClassVar[type[RefinementResult]] = RefinementResult
    is_more_than_its_result: ClassVar[bool] = True

    potential: str
    potential_sha256: str
    rounds: int = 1

    def check(self) -> None:
        """Raise `CalculationError` for a potential that cannot be refined, or too many rounds."""
        super().check()
        if not potential_card(self.potential).capabilities.can_be_refined:
            raise CalculationError(
                f"{self.potential!r} can't be fine-tuned for a material (asked for {self.rounds} rounds); leave the "
                "refinement out."
            )
        if not 1 <= self.rounds <= MAX_ROUNDS:
            raise CalculationError(f"{self.rounds} rounds of refinement; 1 to {MAX_ROUNDS} are offered.")

    @property
    def label(self) -> str:
        """Potential and rounds."""
        return f"{self.potential}-refined-{self.rounds}"

    def settings(self) -> dict[str, Figure]:
        """Return the potential and the seed."""
        return {"potential": self.potential, "seed": self.seed}

    def run(self, context: Context) -> RefinementResult:
        """Refine, from what the folder holds of an earlier sitting; it stops between two stages."""
        refined = refine_potential(
            self.potential, self.crystal, self.working_ion, folder=context.folder, rounds=self.rounds, seed=self.seed,
            device=context.device, on_stage=context.say,
        )  # fmt: skip
        before, after = refined.force_mae_ev_per_a[0], refined.force_mae_ev_per_a[-1]
        return RefinementResult(
            verdict="refined",
            reason=f"Force error against the teacher {before:.3f}, then {after:.3f} eV/angstrom.",
            weights=str(refined.folder.relative_to(context.folder)),
            force_mae_ev_per_a=refined.force_mae_ev_per_a, n_frames=refined.n_frames,
            provenance=Provenance(
                kind=self.kind, model_name=self.potential, model_sha256=self.potential_sha256, seed=self.seed,
                device=context.device,
            ),
        )  # fmt: skip


SPEC: Final = RefinementSpec
