// The week: a line for each worker, and its breaks as bars over seven days. They are days of the browser's clock.

import { h, Link, memo, useMemo } from "../react.js";
import { interruptsText, sparedTexts } from "../farm/breaknotes.js";
import { midnights } from "../farm/clock.js";
import { State } from "./workersview.js";
import { workUntil } from "../farm/choice.js";
import { More, useGrowing } from "./growing.js";
import { holdText, isolated } from "../holds.js";
import { said } from "../farm/said.js";
import { dayText, fullText, momentText } from "../farm/words.js";

const DAYS = 7;

// Holds of which something is drawn: those that people have placed. Breaks are drawn as such.
const DRAWN = new Set(["worker", "admin", "pause"]);

// What the bars mean, by their class.
const LEGEND = [
  ["break", "break"],
  ["worked", "break in which it works anyway"],
  ["partial", "break in which some builds start"],
  ["break presence-finishes", "builds are finished before it"],
  ["break presence-cut", "builds are interrupted"],
  ["held", "held by somebody"],
];

export function WeekView({ workers, now, choice }) {
  const [rows, grow] = useGrowing(workers.length, choice);
  const today = new Date(now * 1000).toDateString();
  // its midnights are others when the day is
  const week = useMemo(() => weekFrom(now), [today]);
  const minute = Math.floor(now / 60) * 60;
  return h(
    "div",
    { className: "presence-week", style: { "--now": `${week.place(now)}%`, "--days": week.lines } },
    h(
      "table",
      { className: "table table-sm" },
      h("caption", { className: "sr-only" }, "The breaks of the workers in the coming seven days"),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col", className: "presence-name" }, "Worker"),
          h(
            "th",
            { scope: "col" },
            h(
              "div",
              { className: "presence-days" },
              week.days.map((day) => h("span", { key: day.at, style: { width: `${day.width}%` } }, day.text)),
            ),
          ),
        ),
      ),
      h(
        "tbody",
        null,
        workers.slice(0, rows).map((worker) => h(WeekRow, { key: worker.workerid, worker, week, minute })),
        h(More, { shown: rows, total: workers.length, columns: 2, grow }),
      ),
    ),
    h(
      "p",
      { className: "presence-legend" },
      LEGEND.map(([kind, text]) =>
        h(
          "span",
          { key: text, className: "presence-item" },
          h(
            "span",
            { className: `presence-bar presence-${kind}` },
            kind === "break presence-cut" && h("span", { className: "presence-interrupts" }),
          ),
          ` ${text} `,
        ),
      ),
      h(
        "span",
        { className: "presence-item" },
        h("span", { className: "presence-nowmark" }),
        ` now, ${momentText(now, now)}`,
      ),
    ),
  );
}

/** Seven days from today on: where an instant is in them, in percent, and where their midnights are. */
function weekFrom(now) {
  const starts = midnights(now, DAYS);
  const [first, last] = [starts[0], starts[DAYS]];
  const place = (at) => Math.min(100, Math.max(0, (100 * (at - first)) / (last - first)));
  const days = starts
    .slice(0, DAYS)
    .map((at, day) => ({ at, text: day ? dayText(at) : "Today", width: place(starts[day + 1]) - place(at) }));
  const lines = starts
    .slice(1, DAYS)
    .map(
      (at) =>
        `linear-gradient(var(--presence-line), var(--presence-line)) ${place(at)}% 0 / 1px 100% no-repeat`,
    );
  return { first, last, place, days, lines: lines.join(", ") };
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

const WeekRow = memo(function WeekRow({ worker, week, minute }) {
  return h(
    "tr",
    { "data-worker": worker.name },
    h(
      "th",
      { scope: "row" },
      h(Link, { to: `/workers/${worker.workerid}` }, said(worker.name)),
      " ",
      h(State, { entity: worker }),
    ),
    h(
      "td",
      null,
      h(
        "ul",
        { className: "presence-track" },
        barsOf(worker, week, minute).map(({ kind, start, stop, text }) => {
          const left = week.place(start);
          return h(
            "li",
            {
              key: `${kind} ${start}`,
              className: `presence-bar presence-${kind}`,
              style: { left: `${left}%`, width: `${week.place(stop) - left}%` },
              title: text,
            },
            h("span", { className: "sr-only" }, text),
          );
        }),
      ),
    ),
  );
});
