"""How long nobody has used keyboard and mouse, on macOS and Windows."""

from __future__ import annotations

import re
import sys

from presence.worker.looking import bounded
from presence.worker.looking.cannottell import CannotTellError

_IDLE_TIME = re.compile(rb'"HIDIdleTime"\s*=\s*([0-9]+)')


def idleOfMac() -> float:
    """For how many seconds nobody has used it. Raises `CannotTellError`. It starts a program, and blocks."""
    return readIdleTime(
        bounded.run(["/usr/sbin/ioreg", "-c", "IOHIDSystem", "-d", "4", "-r", "-k", "HIDIdleTime"])
    )


def readIdleTime(outcome: bounded.Outcome) -> float:
    """The seconds that `ioreg` has said; it says nanoseconds."""
    found = _IDLE_TIME.search(outcome.said)
    if outcome.status or found is None or len(found[1]) > 20:  # noqa: PLR2004 (so many digits has no number of 64 bits)
        raise CannotTellError(f"ioreg does not say HIDIdleTime (exit status {outcome.status})")
    return int(found[1]) / 1e9


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
