"""Torch's process-wide settings, borrowed and given back: default type, e3nn's mode, random state.

Each package behind a potential wants its own: nequip leaves float64 as default, sevenn fails under it, a compiled
float32 model gives NaN under float32, and nequip's first start seeds every generator. All work on a potential goes
through these two contexts; the lock holds others off, since the settings are one for the whole process.
"""

import contextlib
import os
import random
import threading
import warnings
from collections.abc import Iterator

import numpy as np
import torch

_one_at_a_time = threading.RLock()
_SEED_VARIABLES = ("PL_GLOBAL_SEED", "PL_SEED_WORKERS")


@contextlib.contextmanager
def torch_state(dtype: torch.dtype) -> Iterator[None]:
    """Run the block alone, under `dtype` as torch's default and without warnings; put all back however it ends."""
    with _one_at_a_time:
        before = torch.get_default_dtype()
        torch.set_default_dtype(dtype)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            torch.set_default_dtype(before)


@contextlib.contextmanager
def nequip_state() -> Iterator[None]:
    """Set nequip's global state for building a model, and undo its side effects: default type, seeds, e3nn's mode."""
    with torch_state(torch.get_default_dtype()):
        import e3nn
        from nequip.utils.global_state import set_global_state

        variables = {name: os.environ.get(name) for name in _SEED_VARIABLES}
        before = e3nn.get_optimization_defaults()
        try:
            with _random_state_kept():
                set_global_state()
                e3nn.set_optimization_defaults(jit_mode="eager")
                yield
        finally:
            e3nn.set_optimization_defaults(**before)
            for name, value in variables.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@contextlib.contextmanager
def _random_state_kept() -> Iterator[None]:
    of_python, of_numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)
