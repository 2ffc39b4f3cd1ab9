"""When the breaks are. Pure: no clock, no reactor. What an admin writes is `Break`; the laws are in ``docs/breaks.rst``."""

from typing import TYPE_CHECKING

from presence.lazy import lazily

if TYPE_CHECKING:
    from presence.breaks.schedule import Break, BreakErrors, BreakInterval, BreakSchedule

__all__ = ["Break", "BreakErrors", "BreakInterval", "BreakSchedule"]

__getattr__, __dir__ = lazily(globals(), dict.fromkeys(__all__, "presence.breaks.schedule"))
