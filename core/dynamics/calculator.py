"""The potentials' calculator, made lean for many steps."""

from ase import Atoms

from core.potentials import PotentialCalculator


class StepCalculator(PotentialCalculator):
    """Asks only whether positions or cell changed, and exactly.

    Integrators ask for forces, energy and stress several times a step; ASE compares eight arrays with a tolerance each
    time, which takes longer than the rest of the step.
    """

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """Return what changed since the last evaluation, as ASE names it."""
        last = self.atoms
        if last is None:
            return ["positions", "cell"]
        changes = []
        if (atoms.positions != last.positions).any():
            changes.append("positions")
        if (atoms.cell.array != last.cell.array).any():
            changes.append("cell")
        return changes
