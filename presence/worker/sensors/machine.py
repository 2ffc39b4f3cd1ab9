"""`OnBattery` and `DiskBelow`: what the machine says of itself."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from presence.worker.looking.cannottell import CannotTellError, needs
from presence.worker.sensors.reading import Reading
from presence.worker.sensors.written import seconds, size, sizeText, text

_SUPPLIES = Path("/sys/class/power_supply")


class OnBattery:
    """Away while the machine runs on battery. A machine without one never does."""

    def __init__(
        self,
        *,
        quiet: object = "1m",
        every: object = "10s",
        name: str = "battery",
        supplies: Path = _SUPPLIES,
    ) -> None:
        self.name = name
        self.quiet = seconds("quiet", quiet)
        self.every = seconds("every", every)
        self._supplies = supplies

    def read(self) -> Reading:
        """Look at the power supplies. See `reading.Sensor`."""
        plugged = self._plugged() if self._supplies.is_dir() else _plugged_elsewhere()
        if plugged is None:
            return Reading(False, "the machine has no battery")
        return Reading(not plugged, "it is plugged in" if plugged else "it runs on battery")

    def _plugged(self) -> bool | None:
        """None for a machine without a battery."""
        discharging = charged = online = False
        for supply in sorted(self._supplies.iterdir()):
            kind = _said(supply / "type")
            if kind in {"Mains", "USB", "Wireless"}:
                online = online or _said(supply / "online") not in {"0", ""}
            # that of a mouse or a keyboard has the scope Device
            elif kind == "Battery" and _said(supply / "scope") != "Device":
                discharging = discharging or _said(supply / "status") == "Discharging"
                charged = True
        return None if not charged else online or not discharging


def _said(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _plugged_elsewhere() -> bool | None:
    if find_spec("psutil") is None:
        raise needs("psutil")
    import psutil  # noqa: PLC0415 (an extra)

    if not hasattr(psutil, "sensors_battery"):
        raise CannotTellError("nobody knows how to ask for batteries on this platform")
    battery = psutil.sensors_battery()
    if battery is None:
        return None
    if battery.power_plugged is None:
        raise CannotTellError("the machine does not say whether it is plugged in")
    return bool(battery.power_plugged)


class DiskBelow:
    """Away while less than `bound` is free on the disk of `path`: by default that of the worker's directory."""

    def __init__(
        self,
        bound: object,
        path: str = ".",
        *,
        quiet: object = "10m",
        every: object = "30s",
        name: str = "disk",
    ) -> None:
        self.bound = size("disk", bound)
        self.path = text("path", path)
        self.name = name
        self.quiet = seconds("quiet", quiet)
        self.every = seconds("every", every)

    def read(self) -> Reading:
        """Ask the file system. See `reading.Sensor`."""
        try:
            free = shutil.disk_usage(self.path).free
        except OSError as problem:
            raise CannotTellError(f"{self.path} cannot be asked: {problem.strerror}") from None
        low = free < self.bound
        where = "" if self.path == "." else f" of {self.path}"
        return Reading(low, f"{'only ' if low else ''}{sizeText(free)} of the disk{where} are free")
