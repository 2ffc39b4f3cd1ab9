"""What tells that the owner needs the machine: sensors, and what watches them. Each is imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.lazy import lazily

if TYPE_CHECKING:
    from presence.worker.looking.cannottell import CannotTellError
    from presence.worker.sensors.calendarfile import Calendar
    from presence.worker.sensors.command import Command
    from presence.worker.sensors.load import LoadAbove
    from presence.worker.sensors.machine import DiskBelow, OnBattery
    from presence.worker.sensors.reading import Reading
    from presence.worker.sensors.running import WhileRunning
    from presence.worker.sensors.used import Used

__all__ = [
    "Calendar",
    "CannotTellError",
    "Command",
    "DiskBelow",
    "LoadAbove",
    "OnBattery",
    "Reading",
    "Used",
    "WhileRunning",
]

_HOMES = {
    "Calendar": "presence.worker.sensors.calendarfile",
    "CannotTellError": "presence.worker.looking.cannottell",
    "Command": "presence.worker.sensors.command",
    "DiskBelow": "presence.worker.sensors.machine",
    "LoadAbove": "presence.worker.sensors.load",
    "OnBattery": "presence.worker.sensors.machine",
    "Reading": "presence.worker.sensors.reading",
    "Used": "presence.worker.sensors.used",
    "WhileRunning": "presence.worker.sensors.running",
}

__getattr__, __dir__ = lazily(globals(), _HOMES)
