"""The exit statuses: of the owner's commands, and the first three of all. They are documented in ``docs/owner.rst``, and scripts rely on
them.
"""

from __future__ import annotations

#: Done, and a master that is to know it knows it.
DONE = 0

#: It did not work, in a way that has no number of its own.
FAILED = 1

#: Usage error, or the directory is not a worker's; nothing was done.
USAGE = 2

#: The worker is not running; nothing was done.
NOT_RUNNING = 3

#: It is done and kept on this machine, and the master does not know it yet; it is told as soon as it can be. Of the admin's orders: it
#: is stored, and a master that has the worker has not confirmed it yet.
NOT_TOLD = 4

#: Refused, with a reason; nothing has changed.
REFUSED = 5

#: What was waited for will not happen: another order came in the meantime.
OVERTAKEN = 6

#: Ctrl-C. What was asked for stays in force.
INTERRUPTED = 130
