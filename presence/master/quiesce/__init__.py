"""The master brought to rest: a reconfiguration or a shutdown that waits."""
