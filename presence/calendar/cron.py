"""Lines of cron, which are not read: what the same start would be here."""

from __future__ import annotations

import re

from presence.calendar.weekdays import CODES, weekdays, weekdaysText

_FIELDS = 5
_FIELD = re.compile(r"[0-9*/,-]+|[A-Za-z]{3}(?:[-,][A-Za-z]{3})*")
_LAST_HOUR, _LAST_MINUTE = 23, 59


def cronHint(text: str) -> str | None:
    """Why `text` is not read and what would be right, if it looks like a line of cron; else None."""
    fields = text.split()
    if len(fields) != _FIELDS or not all(map(_FIELD.fullmatch, fields)) or not re.match("[0-9*]", fields[1]):
        return None
    return (
        f"{text!r} looks like a line of cron, which is not read here, as it says when something starts and not when "
        f"it ends. {_translated(*fields)}"
    )


def _translated(minute: str, hour: str, month_day: str, month: str, week_day: str) -> str:
    example = 'Write the start, the stop and the days: ("19:00", "07:00", "MO-FR")'
    if not (minute.isdecimal() and hour.isdecimal()) or int(hour) > _LAST_HOUR or int(minute) > _LAST_MINUTE:
        return example
    start = f"{int(hour):02}:{int(minute):02}"
    if (month_day, month, week_day) == ("*", "*", "*"):
        return f'The same start, every day, is ("{start}", STOP), with the time of its end for STOP'
    if (month_day, month) == ("*", "*"):
        try:
            days = _days(week_day)
        except ValueError:
            return example
        return f'The same start is ("{start}", STOP, "{days}"), with the time of its end for STOP'
    if month_day.isdecimal() and month == week_day == "*":
        rule = f"FREQ=MONTHLY;BYMONTHDAY={int(month_day)}"
        return f'The same start is Break("{start}", STOP, rule="{rule}"), with the time of its end for STOP'
    return example


def _days(text: str) -> str:
    """The days of the week of cron, where 0 and 7 are Sunday, as they are written here."""
    named = re.sub("[0-7]", lambda match: CODES[(int(match[0]) - 1) % 7], text)
    return weekdaysText(weekdays(named))
