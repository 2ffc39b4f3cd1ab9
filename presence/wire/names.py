"""The names of the messages.

They do not stand beside the messages, which are not in memory where no worker has an owner's side.
"""

from __future__ import annotations

#: What a worker says of itself. It is also the key in the worker info.
PRESENCE = "presence"

#: That it is to end.
PRESENCE_STOP = "presence_stop"

#: What the master says.
PRESENCE_VIEW = "presence_view"
