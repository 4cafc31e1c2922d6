"""The worker with the cheap potential registered, and checkpoints in quick succession."""

import sys
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    # As a script it has its own folder on the path; an installed package may be called `tests` too.
    ROOT = Path(__file__).resolve().parents[2]
    sys.path[0] = str(ROOT)
    import tests

    tests.__path__ = [str(ROOT / "tests")]

    from core.calculations.kinds.diffusion import work
    from core.dynamics import simulate
    from core.tasks import worker
    from tests.tasks.toy_potential import register

    register()
    work.simulate = partial(simulate, checkpoint_s=0.05)
    sys.exit(worker.main())
