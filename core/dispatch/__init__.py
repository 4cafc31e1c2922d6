"""The queue: which runs wait, whose turn it is, and one small process that starts them.

A run that waits is a ticket, a small file, and holds no memory. `core.dispatch.dispatcher` starts its worker once a
slot of its device is free. Nothing here imports what calculates, so that the process that watches stays small.
"""
