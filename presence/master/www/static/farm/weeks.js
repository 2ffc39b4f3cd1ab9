// The days that the week shows: where an instant is in them, and what there is to draw of a worker or of a builder.

import words from "../wordlist.js";
import { interruptsText, sparedTexts } from "./breaknotes.js";
import { workUntil } from "./choice.js";
import { midnights } from "./clock.js";
import { dayText, fullText, momentText } from "./words.js";
import { holdText, isolated } from "../holds.js";

// Holds of which something is drawn: those that people have placed. Breaks are drawn as such.
const DRAWN = new Set(["worker", "admin", "pause"]);

// From so many days on there is no room for more than the number of a day.
const NARROW = 10;

/** The days from the one on that is `ahead` of today: where an instant is in them, in percent, and where their midnights are. */
export function daysFrom(now, ahead, number) {
  const starts = midnights(now, number, ahead);
  const [first, last] = [starts[0], starts[number]];
  const place = (at) => Math.min(100, Math.max(0, (100 * (at - first)) / (last - first)));
  const days = starts.slice(0, number).map((at, day) => ({
    at,
    text: nameOf(at, ahead + day, number),
    title: dayText(at),
    width: place(starts[day + 1]) - place(at),
  }));
  const lines = starts
    .slice(1, number)
    .map(
      (at) =>
        `linear-gradient(var(--presence-line), var(--presence-line)) ${place(at)}% 0 / 1px 100% no-repeat`,
    );
  return { first, last, place, days, lines: lines.join(", ") };
}

function nameOf(at, ahead, number) {
  if (ahead === 0 && number < NARROW) return "Today";
  if (number < NARROW) return dayText(at);
  return String(new Date(at * 1000).getDate());
}

/**
 * The bars of a worker, in order: `{kind, start, stop, text}`; `stop` is Infinity where no end is in sight, and of a mark
 * (the kind "interrupts") it is its start.
 */
export function barsOf(worker, week, now) {
  const bars = [];
  const add = (kind, start, stop, text) => {
    if (start < week.last && stop > week.first && start < stop) bars.push({ kind, start, stop, text });
  };
  const mark = (at) => {
    if (at && at >= Math.max(week.first, work) && at < week.last)
      bars.push({ kind: "interrupts", start: at, stop: at, text: interruptsText(at) });
  };
  const work = workUntil(worker, now) ?? -Infinity;
  // (a master that is older than the page does not tell them)
  for (const each of worker.partial_breaks ?? []) {
    const stop = each.stop ?? Infinity;
    const why = [each.limit, each.reason].filter(Boolean).map(isolated);
    const text = `partial break, ${[...why, ...sparedTexts(each)].join(", ")}: ${span(each.start, stop)}`;
    const kind = each.finish_before ? "partial presence-finishes" : "partial";
    add(kind, Math.max(each.start, work), stop, text);
    mark(each.interrupts_at);
  }
  for (const each of worker.breaks) {
    const stop = each.stop ?? Infinity;
    const why = each.reason ? [isolated(each.reason)] : [];
    const text = `${["break", ...why, ...sparedTexts(each)].join(", ")}: ${span(each.start, stop)}`;
    const kind = each.finish_before ? "break presence-finishes" : "break";
    if (work > now) {
      add(kind, each.start, Math.min(stop, now), text);
      add("worked", Math.max(each.start, now), Math.min(stop, work), `works in spite of its ${text}`);
      add("break", Math.max(each.start, work), stop, text);
    } else {
      add(kind, each.start, stop, text);
    }
    mark(each.interrupts_at);
  }
  for (const hold of worker.holds) {
    if (DRAWN.has(hold.source)) {
      const stop = hold.until ?? Infinity;
      const why = holdText(hold, { drain: worker.drain !== null });
      add("held", hold.since, stop, `${why}: ${span(hold.since, stop)}`);
    }
  }
  return bars.sort((one, other) => one.start - other.start);
}

function span(start, stop) {
  if (stop === Infinity) return `${fullText(start)} – no end in sight`;
  const sameDay = dayText(start) === dayText(stop) && stop - start < 86400;
  return `${fullText(start)} – ${sameDay ? momentText(stop, start) : fullText(stop)}`;
}

/** When none of these workers, which are those of a builder, is ready: bars as of `barsOf()`. */
export function gapsOf(workers, week, now) {
  let gaps = [[week.first, week.last]];
  for (const worker of workers) {
    gaps = common(gaps, awayOf(worker, now));
    if (!gaps.length) break;
  }
  return gaps.map(([start, stop]) => ({
    kind: "gap",
    start,
    stop,
    text: `${workers.length ? words.kinds.noneReady : words.kinds.noWorkers}: ${span(start, stop)}`,
  }));
}

/** When a worker does not accept builds, as far as it is known: `[start, stop]` in order, none of which overlap. */
function awayOf(worker, now) {
  const work = workUntil(worker, now) ?? -Infinity;
  const breaks = worker.breaks.flatMap(({ start, stop }) => {
    const end = stop ?? Infinity;
    // (it works in those that begin before)
    return work <= now || start >= work ? [[start, end]] : [[start, Math.min(now, end)], [Math.max(start, work), end]];
  });
  const holds = worker.holds
    .filter(({ source }) => source !== "break")
    .map(({ since, until }) => [since, until ?? Infinity]);
  const all = [...breaks, ...holds].filter(([start, stop]) => start < stop);
  const merged = [];
  for (const [start, stop] of all.sort(([one], [other]) => one - other)) {
    const last = merged[merged.length - 1];
    if (last && start <= last[1]) last[1] = Math.max(last[1], stop);
    else merged.push([start, stop]);
  }
  return merged;
}

/** What two such lists have in common. */
function common(ones, others) {
  return ones.flatMap(([start, stop]) =>
    others
      .map(([from, to]) => [Math.max(start, from), Math.min(stop, to)])
      .filter(([from, to]) => from < to),
  );
}
