"""How to look at the machine: its processes, terminals and displays, logind, a program. Each is bounded in time."""
