"""Draws ``docs/images/rooms.svg`` of the imports of the package: the rooms by floor, and who imports whom.

    python -m docs.rooms

An arrow leads from a room to one that it imports. It is left out where a longer way of arrows leads there, too, and
where it would lead to the lowest floor. An arrow that leads up would be red: `tests/test_imports.py` lets none be. A
test compares the picture with what this draws, so that it is never an old one.
"""

from html import escape
from itertools import pairwise
from pathlib import Path

from tests.rooms import FLOORS, graph, roomGraph

PICTURE = Path(__file__).parent / "images" / "rooms.svg"

# The rooms whose names begin so stand in one frame. {name: its left and right side}
WINGS = {"commands": (180, 920), "master": (20, 640), "worker": (670, 1080)}
WIDTH = 1100
# Everybody may import from the lowest floor, and no arrow is drawn for it.
GROUND = FLOORS[0]

# In pixels: the height of a room and how wide it is at most; what is between two of a floor, and between two floors.
BOX, WIDEST, GAP, BETWEEN = 30, 120, 12, 40
MARGIN = 26
LANE = 10  # how much room an arrow takes that passes a floor

STYLE = """
  svg { color-scheme: light dark; font: 13px system-ui, sans-serif; }
  .paper { fill: #fff; }
  .frame { fill: #f4f6f9; stroke: #d5dbe3; }
  .wing { fill: #66707c; font-size: 12px; letter-spacing: .06em; }
  .room rect { fill: #fff; stroke: #5b7fb5; stroke-width: 1.2; }
  .room text { fill: #1d2733; text-anchor: middle; }
  .arrow { fill: none; stroke: #8796a8; stroke-width: 1.2; }
  .up { stroke: #d32f2f; stroke-width: 2; }
  #head path { fill: #8796a8; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #14181d; }
    .frame { fill: #1c2229; stroke: #39424d; }
    .wing { fill: #98a4b3; }
    .room rect { fill: #242c36; stroke: #6d94cf; }
    .room text { fill: #e4e9ef; }
    .arrow { stroke: #74859a; }
    #head path { fill: #74859a; }
  }
"""


def reduced(arrows):
    """The graph without the arrows that a longer way of arrows says too."""

    def reach(start, seen):
        for other in arrows.get(start, ()):
            if other not in seen:
                seen.add(other)
                reach(other, seen)
        return seen

    return {
        start: {
            other
            for other in others
            if not any(other in reach(between, set()) for between in others if between != other)
        }
        for start, others in arrows.items()
    }


def wing(name):
    """The frame in which a room stands; "" for one that stands by itself."""
    first = name.partition(".")[0]
    return first if first in WINGS and "." in name else ""


class Plan:
    """Where each room stands: `boxes` is {room: (x, y, width)}.

    An arrow that passes floors has a place, a lane, on each of them: `lanes` is {(room, other): the x of each, from
    above}. `arrows` is {room: the others that arrows lead to}.
    """

    def __init__(self, arrows):
        self.arrows = {name: others - GROUND for name, others in arrows.items()}
        self._rows = self._rooms_by_row()
        self._row = {name: number for number, row in enumerate(self._rows) for name in row}
        self.height = 2 * MARGIN + len(self._rows) * (BOX + BETWEEN) - BETWEEN + BOX / 2
        # what is placed is named by a room, or by the arrow and the row that it passes: {name: middle}
        self._middles = {}
        self._joined = {}
        for name, other in self.all_arrows():
            way = [name, *self._lanes(name, other), other]
            for one, next_ in pairwise(way):
                self._joined.setdefault(one, []).append(next_)
                self._joined.setdefault(next_, []).append(one)
        passing = [[] for _ in self._rows]
        for name, other in self.all_arrows():
            for lane in self._lanes(name, other):
                passing[lane[2]].append(lane)
        for _ in range(40):
            for row, lanes in zip(self._rows, passing, strict=True):
                self._place(row, lanes)
        self.boxes = {name: self._box(name) for name in self._row}
        self.lanes = {
            (name, other): [self._middles[lane] for lane in self._lanes(name, other)]
            for name, other in self.all_arrows()
        }

    def all_arrows(self):
        """Pairs of rooms, in a fixed order."""
        return [(name, other) for name in sorted(self.arrows) for other in sorted(self.arrows[name])]

    def _rooms_by_row(self):
        """Lists of rooms, the lowest first. Wings that stand beside each other begin at the same height."""
        height = {"": 0, **dict.fromkeys(WINGS, 0)}
        rows = {}
        for floor in FLOORS:
            names = sorted(set(floor) & self.arrows.keys())
            for side in sorted(set(map(wing, names))):
                # what is common stands above all that came before it, and so does a wing above what is common
                number = max(height.values()) if side in {"", "commands"} else max(height[""], height[side])
                rows.setdefault(number, []).extend(name for name in names if wing(name) == side)
                height[side] = number + 1
        return [rows[number] for number in sorted(rows)]

    def _lanes(self, name, other):
        return [(name, other, row) for row in range(self._row[name] - 1, self._row[other], -1)]

    def _width(self, name, row):
        left, right = self._sides(name)
        beside = sum(wing(each) == wing(name) for each in row)
        # (room for an arrow that passes is left between them)
        return min(WIDEST, (right - left - GAP) / beside - GAP - LANE / 2)

    def _sides(self, name):
        return WINGS.get(wing(name), (0, WIDTH))

    def _box(self, name):
        number = self._row[name]
        width = self._width(name, self._rows[number])
        return self._middles[name] - width / 2, self.height - MARGIN - number * (BOX + BETWEEN) - BOX, width

    def _place(self, row, lanes):
        """Put all of a row where those are that they are joined with, as far as there is room."""
        halves = {name: self._width(name, row) / 2 for name in row} | dict.fromkeys(lanes, LANE / 2 - GAP / 2)
        wanted, sides = {}, {}
        for name, half in halves.items():
            left, right = (0, WIDTH) if name in lanes else self._sides(name)
            # an arrow wants to go straight down, and a room to stand in the middle of all that it is joined with
            others = self._lanes(*name[:2]) + list(name[:2]) if name in lanes else self._joined.get(name, ())
            known = [self._middles[other] for other in others if other in self._middles]
            sides[name] = left + GAP + half, right - GAP - half
            wanted[name] = sum(known) / len(known) if known else (left + right) / 2
            wanted[name] = min(max(wanted[name], sides[name][0]), sides[name][1])
        names = sorted(halves, key=lambda name: (wanted[name], str(name)))
        least = [halves[one] + halves[other] + GAP for one, other in pairwise(names)]

        def to_the_right(middles):
            for at, name in enumerate(names):
                before = middles[at - 1] + least[at - 1] if at else 0
                middles[at] = max(middles[at], before, sides[name][0])

        def to_the_left(middles):
            for at, name in reversed([*enumerate(names)]):
                after = middles[at + 1] - least[at] if at + 1 < len(names) else WIDTH
                middles[at] = min(middles[at], after, sides[name][1])

        # those that would overlap are moved apart, to both sides alike
        one, other = ([wanted[name] for name in names] for _ in range(2))
        to_the_right(one)
        to_the_left(one)
        to_the_left(other)
        to_the_right(other)
        middles = [(x + x2) / 2 for x, x2 in zip(one, other, strict=True)]
        self._middles.update(zip(names, middles, strict=True))

    def middle(self, name):
        """The x of the middle of a room."""
        return self._middles[name]


def _ports(plan, ends, first):
    """{(room, other): x} where the arrows of a room begin or end, in the order in which they come.

    `ends` is {room: others}; `first(room, other)` is the x of what is next on the arrow.
    """
    found = {}
    for name, others in ends.items():
        x, _, width = plan.boxes[name]
        order = sorted(others, key=lambda other: (first(name, other), other))
        for number, other in enumerate(order, 1):
            found[name, other] = x + width * number / (len(order) + 1)
    return found


def _arrows(plan):
    into = {name: set() for name in plan.boxes}
    for name, other in plan.all_arrows():
        into[other].add(name)
    begins = _ports(plan, plan.arrows, lambda name, other: [*plan.lanes[name, other], plan.middle(other)][0])
    ends = _ports(plan, into, lambda name, other: [plan.middle(other), *plan.lanes[other, name]][-1])
    for name, other in plan.all_arrows():
        top, bottom = plan.boxes[name][1], plan.boxes[other][1]
        x, x2 = begins[name, other], ends[other, name]
        if top == bottom:
            # of one floor: from side to side
            right = plan.middle(other) > plan.middle(name)
            x = plan.boxes[name][0] + (plan.boxes[name][2] if right else 0)
            x2 = plan.boxes[other][0] + (-1 if right else plan.boxes[other][2] + 1)
            path = f"M{x:.0f} {top + BOX / 2:.0f}H{x2:.0f}"
        elif bottom < top:
            path = f"M{x:.0f} {top:.0f}L{x2:.0f} {bottom + BOX + 1:.0f}"
        else:
            path, y = f"M{x:.0f} {top + BOX:.0f}", top + BOX
            for place in [*plan.lanes[name, other], x2]:
                bend = BETWEEN / 2
                path += (
                    f"C{x:.0f} {y + bend:.0f} {place:.0f} {y + bend:.0f} {place:.0f} {y + BETWEEN - 1:.0f}"
                )
                x, y = place, y + BETWEEN + BOX
                if y < bottom:
                    path += f"V{y:.0f}"
        kind = "arrow" if bottom >= top else "arrow up"
        yield (
            f'<path class="{kind}" marker-end="url(#head)" d="{path}">'
            f"<title>{name} imports {other}</title></path>"
        )


def _frames(plan):
    y = plan.height - MARGIN - BOX
    yield f'<rect class="frame" x="20" y="{y - 12:.0f}" width="{WIDTH - 40}" height="{BOX + 24}" rx="10"/>'
    for name, (left, right) in WINGS.items():
        rows = [plan.boxes[each][1] for each in plan.boxes if wing(each) == name]
        top, bottom = min(rows) - 22, max(rows) + BOX + 10
        yield (
            f'<rect class="frame" x="{left}" y="{top:.0f}" width="{right - left}" height="{bottom - top:.0f}" rx="10"/>'
            f'<text class="wing" x="{left + 12}" y="{top + 15:.0f}">{name}/</text>'
        )


def _rooms(plan):
    for name, (x, y, width) in sorted(plan.boxes.items()):
        shown = name.removeprefix(f"{wing(name)}.")
        yield (
            f'<g class="room"><title>presence.{name}</title><rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" '
            f'height="{BOX}" rx="6"/><text x="{x + width / 2:.0f}" y="{y + BOX / 2 + 4.5:.1f}">{escape(shown)}</text></g>'
        )


def picture():
    """The text of the picture, of the imports as they are."""
    plan = Plan(reduced(roomGraph(graph())))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {plan.height:.0f}">',
        "<title>The rooms of the package by floor: arrows lead from each room down to those that it imports</title>",
        f"<style>{STYLE}</style>",
        '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">',
        '<path d="M0 0 8 4 0 8 2 4z"/></marker>',
        '<rect class="paper" width="100%" height="100%"/>',
        *_frames(plan),
        *_arrows(plan),
        *_rooms(plan),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
