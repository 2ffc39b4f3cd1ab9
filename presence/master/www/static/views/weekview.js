// The week: a line for each worker, and its breaks as bars over seven days; or a month; or a line for each builder, with the hours
// in which none of its workers is ready. They are days of the browser's clock.

import { h, Link, memo, useEffect, useMemo, useState } from "../react.js";
import { barsOf, daysFrom, gapsOf } from "../farm/weeks.js";
import { BuilderState, WorkerState } from "./state.js";
import { pageOf } from "./workersview.js";
import { More, useGrowing } from "./growing.js";
import { getBetween } from "../farm/rest.js";
import { said } from "../farm/said.js";
import { dayText, momentText } from "../farm/words.js";

// How many days there are at a time: a week, or a month.
const WEEK = 7;
const MONTH = 28;

// As far as it goes ahead and back, in days.
const FARTHEST = 364;

const STEP = { [WEEK]: "week", [MONTH]: "four weeks" };

// What the bars mean, by their class.
const LEGEND = [
  ["break", "break"],
  ["worked", "break in which it works anyway"],
  ["partial", "break in which some builds start"],
  ["break presence-finishes", "builds are finished before it"],
  ["break presence-cut", "builds are interrupted"],
  ["held", "held by somebody"],
];

const LEGEND_OF_BUILDERS = [["gap", "none of its workers is ready"]];

/**
 * `choice` is what the rows are chosen by; `empty` is said where none is left. `days` and `ahead` are which days, which
 * `onDays(days, ahead)` changes: without it they are the coming seven. With `builders` these are the rows, not the workers.
 */
export function WeekView({ workers, now, choice, empty, days = WEEK, ahead = 0, onDays, builders }) {
  const today = new Date(now * 1000).toDateString();
  // its midnights are others when the day is
  const week = useMemo(() => daysFrom(now, ahead, days), [today, ahead, days]);
  const minute = Math.floor(now / 60) * 60;
  const drawn = useBreaks(workers, week, ahead !== 0 || days !== WEEK);
  const rows = builders ?? drawn;
  const [shown, grow] = useGrowing(rows.length, `${choice} ${builders ? "builders" : ""}`);
  const isNow = now >= week.first && now < week.last;
  const byId = useMemo(() => builders && byBuilder(drawn), [drawn, builders]);
  return h(
    "div",
    {
      className: "presence-week",
      style: { "--now": isNow ? `${week.place(now)}%` : "-1rem", "--days": week.lines },
    },
    onDays && h(Days, { week, days, ahead, onDays }),
    h(
      "table",
      { className: "table table-sm" },
      h(
        "caption",
        { className: "sr-only" },
        builders ? "When none of the workers of a builder is ready" : "The breaks of the workers, day by day",
      ),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col", className: "presence-name" }, builders ? "Builder" : "Worker"),
          h(
            "th",
            { scope: "col" },
            h(
              "div",
              { className: "presence-days" },
              week.days.map((day) =>
                h("span", { key: day.at, title: day.title, style: { width: `${day.width}%` } }, ...inParts(day.text)),
              ),
            ),
          ),
        ),
      ),
      h(
        "tbody",
        null,
        rows
          .slice(0, shown)
          .map((each) =>
            builders
              ? h(BuilderRow, { key: each.builderid, builder: each, workers: byId.get(each.builderid), week, minute })
              : h(WorkerRow, { key: each.workerid, worker: each, week, minute }),
          ),
        !rows.length && h("tr", null, h("td", { colSpan: 2 }, empty)),
        h(More, { shown, total: rows.length, columns: 2, grow }),
      ),
    ),
    h(
      "p",
      { className: "presence-legend" },
      (builders ? LEGEND_OF_BUILDERS : LEGEND).map(([kind, text]) =>
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
      isNow &&
        h(
          "span",
          { className: "presence-item" },
          h("span", { className: "presence-nowmark" }),
          ` now, ${momentText(now, now)}`,
        ),
    ),
  );
}

/** "Sat 28" and " Nov", for which there may be no room. */
function inParts(text) {
  const [, day, month] = /^(\S+ \d+)( \S+)$/.exec(text) ?? [null, text, ""];
  return month ? [day, h("i", { key: "month" }, month)] : [day];
}

/** Which days are shown, and the buttons that change it. */
function Days({ week, days, ahead, onDays }) {
  const button = (text, title, change, disabled = false) =>
    h(
      "button",
      {
        type: "button",
        className: "btn btn-sm btn-outline-secondary",
        "aria-label": title,
        disabled,
        onClick: change,
      },
      text,
    );
  const last = week.days[days - 1].at;
  const other = days === WEEK ? MONTH : WEEK;
  return h(
    "div",
    { className: "presence-tools", role: "group", "aria-label": "Days" },
    button("‹", `One ${STEP[days]} back`, () => onDays(days, ahead - days), ahead - days < -FARTHEST),
    button("Today", "From today on", () => onDays(days, 0), ahead === 0),
    button("›", `One ${STEP[days]} ahead`, () => onDays(days, ahead + days), ahead + 2 * days > FARTHEST),
    h("span", { role: "status" }, `${dayText(week.first)} – ${dayText(last)}`),
    button(days === WEEK ? "Four weeks" : "One week", `Show ${STEP[other]}`, () => onDays(other, ahead)),
  );
}

/** The workers with the breaks of these days. Those of the coming week are known; of others they are asked for. */
function useBreaks(workers, week, other) {
  const [found, setFound] = useState(null);
  const { first, last } = week;
  useEffect(() => {
    if (!other) return undefined;
    let stopped = false;
    getBetween(first, last).then(
      (entities) => {
        if (!stopped) setFound({ week, of: new Map(entities.map((each) => [each.workerid, each])) });
      },
      // a master that is older than the page does not know them; of one that does not answer the banner says so
      () => {},
    );
    return () => (stopped = true);
  }, [week, other]);
  return useMemo(() => {
    if (!other) return workers;
    const of = found?.week === week ? found.of : new Map();
    return workers.map((each) => ({ ...each, breaks: [], partial_breaks: [], ...of.get(each.workerid) }));
  }, [workers, found, week, other]);
}

function byBuilder(workers) {
  const found = new Map();
  for (const worker of workers)
    for (const id of worker.builders) found.set(id, [...(found.get(id) ?? []), worker]);
  return found;
}

const NOBODY = [];

const BuilderRow = memo(
  function BuilderRow({ builder, workers = NOBODY, week, minute }) {
    return h(
      "tr",
      { "data-builder": builder.name },
      h(
        "th",
        { scope: "row" },
        h(Link, { to: `/builders/${builder.builderid}` }, said(builder.name)),
        h(BuilderState, { builder }),
      ),
      h("td", null, h(Track, { bars: gapsOf(workers, week, minute), week })),
    );
  },
  (before, after) =>
    before.builder === after.builder &&
    before.week === after.week &&
    before.minute === after.minute &&
    (before.workers ?? NOBODY).length === (after.workers ?? NOBODY).length &&
    (before.workers ?? NOBODY).every((each, place) => each === after.workers[place]),
);

const WorkerRow = memo(function WorkerRow({ worker, week, minute }) {
  return h(
    "tr",
    { "data-worker": worker.name },
    h("th", { scope: "row" }, h(Link, { to: pageOf(worker.name) }, said(worker.name)), h(WorkerState, { worker })),
    h("td", null, h(Track, { bars: barsOf(worker, week, minute), week })),
  );
});

function Track({ bars, week }) {
  return h(
    "ul",
    { className: "presence-track" },
    bars.map(({ kind, start, stop, text }) => {
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
  );
}
