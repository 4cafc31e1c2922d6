"""The kind `relaxed-ends`: the host relaxed for a few steps, and small networks that learn what is left."""

from typing import Final

from core.voltage.kinds.relaxed_ends.kind import RelaxedEndsKind

KIND: Final = RelaxedEndsKind()
