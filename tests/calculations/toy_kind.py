"""A kind of calculation in one file, as anyone may add one: MGC_KINDS=toy_kind.

It sums the squares of whole numbers slowly, and keeps how far it came: enough to be killed and to go on.
"""

import json
import time
from dataclasses import dataclass
from typing import ClassVar, Final

from core.artifacts import write_bytes, write_json
from core.calculations import Context, CrystalSpec, Figure, Result, Stopped
from core.provenance import Provenance


@dataclass(frozen=True, kw_only=True, eq=False)
class SquaresResult(Result):
    """The sum, and in how many sittings it was made."""

    kind: ClassVar[str] = "squares"

    total: int
    n_sittings: int

    def figures(self) -> dict[str, Figure]:
        return {"n_atoms": self.total}


@dataclass(frozen=True, kw_only=True, eq=False)
class SquaresSpec(CrystalSpec):
    """Sum the squares below `n`, with a pause before each."""

    kind: ClassVar[str] = "squares"
    title: ClassVar[str] = "Sum of squares"
    result_type: ClassVar[type[SquaresResult]] = SquaresResult
    kept_files: ClassVar[tuple[str, ...]] = ("terms.bin",)

    n: int
    pause_s: float = 0.0

    def run(self, context: Context) -> SquaresResult:
        path = context.folder / "state.json"
        state = json.loads(path.read_text()) if path.exists() else {"step": 0, "total": 0, "sittings": 0}
        state["sittings"] += 1
        for step in range(state["step"], self.n):
            if context.should_stop():
                raise Stopped
            time.sleep(self.pause_s)
            state |= {"step": step + 1, "total": state["total"] + step**2}
            context.report({"step": step + 1, "fraction": (step + 1) / self.n, "eta_s": None})
            write_json(
                path, state
            )  # after its report: killed between the two, the step is done and told again
        write_bytes(context.folder / "terms.bin", bytes(range(min(self.n, 256))))
        return SquaresResult(
            verdict="summed", total=state["total"], n_sittings=state["sittings"],
            provenance=Provenance(kind="squares", seed=self.seed, device=context.device),
        )  # fmt: skip


SPEC: Final = SquaresSpec
