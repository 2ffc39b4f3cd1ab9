"""The demo: a farm of real processes on this machine, and its story."""
