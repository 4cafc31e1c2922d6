"""The kind `frozen-host`: two universal potentials on the discharged crystal and on its frozen host, and small networks
that learn the relaxation."""

from typing import Final

from core.voltage.kinds.frozen_host.kind import FrozenHostKind

KIND: Final = FrozenHostKind()
