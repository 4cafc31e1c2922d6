"""Does a run on a disk that is too small, makes room, and goes on; prints how it stood as JSON. For test_full_disk.py.

python full_disk.py DISK BALLAST_BYTES ELSEWHERE
"""

import json
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    ROOT = Path(__file__).resolve().parents[2]
    sys.path[0] = str(ROOT)
    import tests

    tests.__path__ = [str(ROOT / "tests")]

    from core.calculations.kinds.diffusion import DiffusionSpec, work
    from core.dynamics import simulate
    from core.errors import JobError
    from core.tasks import queue, submit
    from core.tasks.worker import run_job
    from tests.dynamics.toys import SHORT, rocksalt
    from tests.tasks.toy_potential import NAME, register

    register()
    work.simulate = partial(simulate, checkpoint_s=0.05)
    disk, ballast = Path(sys.argv[1]), Path(sys.argv[1]) / "ballast"

    def spec(seed: int) -> DiffusionSpec:
        return DiffusionSpec.planned(
            crystal=rocksalt(), protocol=SHORT, potential=NAME, device="cpu", seed=seed
        )

    folder = queue.prepare(spec(0), disk / "runs")
    folder.write_status("queued")
    ballast.write_bytes(b"0" * int(sys.argv[2]))
    full = run_job(folder.path)
    told = {"state": full.state, "error": full.error, "steps": (full.latest or {}).get("step")}
    with suppress(OSError), ballast.open("ab", buffering=0) as stream:
        while stream.write(b"0" * 512):
            pass
    try:
        submit(spec(1), disk / "runs")
        refused = ""
    except JobError as error:
        refused = str(error)
    ballast.unlink()
    after = run_job(folder.path)
    frames = (folder.path / "trajectory.f32").read_bytes()
    whole = run_job(queue.prepare(spec(0), Path(sys.argv[3])).path)
    same = (whole.path / "trajectory.f32").read_bytes() == frames
    print(json.dumps({"full": told, "refused": refused, "after": after.state, "same": same}))
