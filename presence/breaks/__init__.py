"""When the breaks are. Pure: no clock, no reactor. What an admin writes is `Break`; the laws are in ``docs/breaks.rst``."""

from presence.breaks.schedule import Break, BreakErrors, BreakInterval, BreakSchedule

__all__ = ["Break", "BreakErrors", "BreakInterval", "BreakSchedule"]
