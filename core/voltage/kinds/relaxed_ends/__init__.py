"""The kind `relaxed-ends`."""
