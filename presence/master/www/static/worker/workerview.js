// The page of one worker: its state and why, what runs, its week and its next breaks, what it can build, and what has happened.

import { h, Link, useMemo } from "../react.js";
import { sparedTexts } from "../farm/breaknotes.js";
import { nextBreak } from "../farm/choice.js";
import { Actions, Reasons, Running, Until, timesOf } from "../views/workersview.js";
import { WorkerState } from "../views/state.js";
import { WeekView } from "../views/weekview.js";
import { Happened } from "./happened.js";
import { isolated } from "../holds.js";
import { said } from "../farm/said.js";
import { count, fullText, inText, momentText } from "../farm/words.js";

// How many of the coming breaks are listed, and of its builders.
const BREAKS = 10;
const BUILDERS = 30;

/** About the worker with this `name`, if it is one of `workers`. */
export function WorkerView({ name, workers, builders, builds, now, onOrder }) {
  const worker = workers.find((each) => each.name === name);
  const back = h(Link, { to: "/presence" }, "All workers");
  if (!worker)
    return h("section", { className: "presence-page" }, h("p", null, "There is no worker ", said(name), " in master.cfg. ", back));
  const running = builds.get(name) ?? [];
  const times = timesOf(worker, running, now);
  return h(
    "section",
    { className: "presence-page", "aria-label": isolated(name), "data-page": name },
    h("p", { className: "presence-back" }, back, " · ", h(Link, { to: `/workers/${worker.workerid}` }, "Buildbot's page of it")),
    h("h2", { className: "h4" }, said(name)),
    h("p", { className: "presence-large" }, h(WorkerState, { worker })),
    h("div", { className: "presence-actions" }, h(Actions, { worker, onOrder })),
    h(
      "dl",
      { className: "presence-facts" },
      fact("Why", (worker.holds.length > 0 || worker.blocked?.length || times.notes) && h(Reasons, { worker, ...times })),
      fact("Until", worker.state !== "AVAILABLE" && h(Until, { worker, ...times })),
      fact("Works anyway", times.work && `in its breaks until ${times.work}`),
      fact("Runs", worker.running ? h(Running, { worker, ...times, most: Infinity }) : "nothing"),
      fact("Next breaks", h(Breaks, { worker, now })),
      fact(worker.zones?.length > 1 ? "Zones" : "Zone", worker.zones?.map(isolated).join(", ")),
      fact("Belongs to", worker.groups?.length && h(Groups, { groups: worker.groups })),
      fact("Can build", h(Builders, { worker, builders })),
    ),
    h(WeekView, { workers: [worker], now, choice: name }),
    h(Happened, { worker, now }),
  );
}

/** Each with the way to the workers of it. */
function Groups({ groups }) {
  return groups.flatMap((each, place) => [
    place ? ", " : "",
    h(Link, { key: each, to: `/presence?${new URLSearchParams({ group: each })}` }, said(each)),
  ]);
}

function fact(term, what) {
  return what ? [h("dt", { key: term }, term), h("dd", { key: `${term}:` }, what)] : null;
}

/** The breaks that begin after now, partial ones too. */
function Breaks({ worker, now }) {
  const coming = [...worker.breaks, ...(worker.partial_breaks ?? [])]
    .filter((each) => each.start > now)
    .sort((one, other) => one.start - other.start);
  const next = nextBreak(worker, now);
  // (one that is further away than the week)
  if (!coming.length && next) coming.push(next);
  if (!coming.length) return "none that is known";
  return h(
    "ul",
    null,
    coming.slice(0, BREAKS).map((each) => {
      const stop = each.stop === null ? "no end in sight" : momentText(each.stop, each.start);
      const more = [each.limit, each.reason].filter(Boolean).map(isolated);
      return h(
        "li",
        { key: `${each.start} ${each.limit}` },
        `${fullText(each.start)} – ${stop}`,
        h("span", { className: "presence-by" }, ` ${inText(each.start, now)}`),
        [...more, ...sparedTexts(each)].map((text) => `, ${text}`).join(""),
      );
    }),
  );
}

function Builders({ worker, builders }) {
  const its = useMemo(() => {
    const ids = new Set(worker.builders);
    return builders.filter((each) => ids.has(each.builderid));
  }, [worker, builders]);
  if (!its.length) return "nothing: no builder has it";
  return [
    `${count(its.length, "builder")}: `,
    ...its
      .slice(0, BUILDERS)
      .flatMap((each, place) => [
        place ? ", " : "",
        h(Link, { key: each.builderid, to: `/builders/${each.builderid}` }, said(each.name)),
        each.waiting ? ` (${each.waiting} pending)` : "",
      ]),
    its.length > BUILDERS ? ` and ${its.length - BUILDERS} more` : "",
  ];
}
