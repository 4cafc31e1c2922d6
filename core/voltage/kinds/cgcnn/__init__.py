"""The kind `cgcnn`: the paper's crystal graph network, which pools the working ions alone."""

from typing import Final

from core.voltage.kinds.cgcnn.kind import CgcnnKind

KIND: Final = CgcnnKind()
