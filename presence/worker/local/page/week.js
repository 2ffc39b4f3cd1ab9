// The picture of the week: a row for each day from today on, from midnight to midnight on the clocks of this place.

import { day, midnight, toDate } from "./words.js";

const DAYS = 7;

// How far into its day an instant is, by the clock on the wall.
function fraction(instant) {
  const time = toDate(instant);
  return (time.getHours() + time.getMinutes() / 60 + time.getSeconds() / 3600) / 24;
}

function element(kind, parent) {
  const made = document.createElement("div");
  made.className = kind;
  parent.append(made);
  return made;
}

function bar(track, kind, from, to, begin, end) {
  const start = Math.max(from, begin);
  const stop = Math.min(to, end);
  if (start < stop) {
    const made = element(`bar ${kind}`, track);
    const left = fraction(start);
    made.style.left = `${left * 100}%`;
    made.style.width = `${Math.max(0, (stop === end ? 1 : fraction(stop)) - left) * 100}%`;
  }
}

export function drawWeek(place, status, now) {
  place.replaceChildren();
  const spans = [
    ...status.breaks.map((each) => ["break", each.start, each.stop ?? Infinity]),
    ...status.holds
      .filter((each) => each.source !== "break")
      .map((each) => ["held", Math.max(each.since, midnight(now)), each.until ?? Infinity]),
  ];
  const hours = element("hours", place);
  for (const hour of [0, 6, 12, 18, 24]) {
    const label = element("hour", hours);
    label.textContent = hour;
    label.style.left = `${(hour / 24) * 100}%`;
  }
  for (let number = 0; number < DAYS; number += 1) {
    const [begin, end] = [midnight(now, number), midnight(now, number + 1)];
    const row = element("day", place);
    element("name", row).textContent = number === 0 ? "Today" : day(begin + 1);
    const track = element("track", row);
    for (const [kind, from, to] of spans) {
      bar(track, kind, from, to, begin, end);
    }
    if (number === 0) {
      element("now", track).style.left = `${fraction(now) * 100}%`;
    }
  }
  const many = status.breaks.length;
  place.setAttribute(
    "aria-label",
    many ? `A picture of the ${many} breaks of the coming week, which are listed below` : "No break this week",
  );
}
