"""How long nobody has used keyboard and mouse, on macOS and Windows."""

from __future__ import annotations

import re
import sys

from presence.worker.looking import bounded
from presence.worker.looking.cannottell import CannotTellError

_IDLE_TIME = re.compile(rb'"HIDIdleTime"\s*=\s*([0-9]+)')


def idleOfMac() -> float:
    """For how many seconds nobody has used it. Raises `CannotTellError`. It starts a program, and blocks."""
    # (with -r the depth is counted from what is found: without it nothing is said, and deeper are all who listen to the keyboard)
    return readIdleTime(bounded.run(["/usr/sbin/ioreg", "-r", "-c", "IOHIDSystem", "-d", "1"]))


def readIdleTime(outcome: bounded.Outcome) -> float:
    """The seconds that `ioreg` has said, the fewest of them; it says nanoseconds."""
    # (so many digits has a number of 64 bits at most)
    found = [int(each) for each in _IDLE_TIME.findall(outcome.said) if len(each) <= 20]  # noqa: PLR2004
    if outcome.status or not found:
        raise CannotTellError(f"ioreg does not say HIDIdleTime (exit status {outcome.status})")
    return min(found) / 1e9


def idleOfWindows() -> float:
    """Likewise, of the session in which this process runs: a service is in none that anybody uses."""
    if sys.platform != "win32":
        raise CannotTellError("this is not Windows")
    import ctypes  # noqa: PLC0415 (there only)

    class LastInput(ctypes.Structure):
        _fields_ = (("size", ctypes.c_uint), ("ticks", ctypes.c_uint))

    last = LastInput(ctypes.sizeof(LastInput), 0)
    if not ctypes.windll.user32.GetLastInputInfo(ctypes.byref(last)):
        raise CannotTellError("Windows does not say it of this session: a service sees nobody")
    # both are of 32 bits and begin again after 49 days
    return ((ctypes.windll.kernel32.GetTickCount() - last.ticks) & 0xFFFFFFFF) / 1000
