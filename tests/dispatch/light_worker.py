"""Stands for a worker: takes its slot, gives its ticket up, says that it works, ends when the folder holds `end`."""

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

    from core.dispatch.slots import device_slot
    from core.dispatch.tickets import withdraw

    run = Path(sys.argv[1])
    if (run / "broken").exists():
        sys.exit(1)
    with device_slot("cpu", lambda: False):
        withdraw(run)
        (run / "began").write_text(str(time.time_ns()))
        while not (run / "end").exists():
            time.sleep(0.05)
        (run / "done").touch()
