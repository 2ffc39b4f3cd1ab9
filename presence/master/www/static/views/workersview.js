// The table of the workers.

import { h, Link, memo, useEffect, useRef } from "../react.js";
import { notesOf } from "../farm/breaknotes.js";
import { leftText } from "../farm/builds.js";
import { hasBreaks, heldBy, nextBreak, workUntil } from "../farm/choice.js";
import { drainDeadline } from "../farm/kinds.js";
import { changeOf, isPaused } from "../farm/orders.js";
import { infoTexts } from "./details.js";
import { More, useGrowing } from "./growing.js";
import { orderButton } from "./orderbutton.js";
import { WorkerState } from "./state.js";
import { holdParts, isolated } from "../holds.js";
import { said, sentence } from "../farm/said.js";
import { count, fullText, inText, momentText } from "../farm/words.js";

// How many builds of a worker are named in its row.
const NAMED = 3;

const COLUMNS = [
  ["name", "Worker"],
  ["state", "State"],
  ["why", "Why"],
  ["until", "Until"],
  ["running", "Running"],
  ["next", "Next break"],
];

/**
 * `workers` are those to show. `selected` is a set of ids, which `onSelect(ids, whether)` changes. `onSort(key)` sorts;
 * `onOrder(action, workers)` opens the dialog. `builds` are those that run, by worker; `empty` is said where no worker is left.
 */
export function WorkersView({ workers, builds, now, sort, onSort, selected, onSelect, onOrder, choice, empty, details, infos }) {
  const [rows, grow] = useGrowing(workers.length, `${sort} ${choice}`);
  const many = workers.filter((worker) => selected.has(worker.workerid)).length;
  return h(
    "table",
    { className: "table table-sm table-hover presence-workers" },
    h("caption", { className: "sr-only" }, "Workers, why they do not accept builds, and until when"),
    h(
      "thead",
      null,
      h(
        "tr",
        null,
        h("th", { scope: "col", className: "presence-check" }, h(SelectAll, { workers, many, onSelect })),
        COLUMNS.map(([key, text]) => h(SortableHead, { key, name: key, text, sort, onSort })),
        h(
          "th",
          { scope: "col", className: "presence-actions" },
          h("span", { className: "sr-only" }, "Actions"),
        ),
      ),
    ),
    h(
      "tbody",
      null,
      workers.slice(0, rows).map((worker) =>
        h(WorkerRow, {
          key: worker.workerid,
          worker,
          selected: selected.has(worker.workerid),
          builds: builds.get(worker.name),
          info: infos.get(worker.workerid),
          ...{ onSelect, onOrder, details, now },
        }),
      ),
      !workers.length && h("tr", null, h("td", { colSpan: COLUMNS.length + 2 }, empty)),
      h(More, { shown: rows, total: workers.length, columns: COLUMNS.length + 2, grow }),
    ),
  );
}

/** The row of a worker: whether it is selected, and the cells, which that does not change. */
const WorkerRow = memo(function WorkerRow({ worker, selected, onSelect, ...rest }) {
  const { workerid, name } = worker;
  return h(
    "tr",
    { "data-worker": name, className: selected ? "table-active" : undefined },
    h(
      "td",
      { className: "presence-check" },
      h("input", {
        type: "checkbox",
        checked: selected,
        onChange: (event) => onSelect([workerid], event.target.checked),
        "aria-label": `Select ${isolated(name)}`,
      }),
    ),
    h(CellsNow, { worker, ...rest }),
  );
});

/** The cells as they are now: what is said of a worker is put together once a second, or when it changes. */
const CellsNow = memo(function CellsNow({ worker, builds, now, details, info, onOrder }) {
  const infoText = infoTexts(details, worker, info).join("\n");
  return h(Cells, { worker, info: infoText, onOrder, ...timesOf(worker, builds, now) });
});

/** All texts that change with time. The cells are rendered anew when one of them differs, and not each second. */
export function timesOf(worker, builds, now) {
  const next = nextBreak(worker, now);
  const work = workUntil(worker, now);
  const back = worker.back_at;
  return {
    back: back === null ? null : momentText(back, now),
    backIn: back === null ? null : inText(back, now),
    next: next && momentText(next.start, now),
    nextReason: next?.reason && isolated(next.reason),
    work: work && momentText(work, now),
    notes: [...drainNotes(worker, now), ...notesOf(worker, now)].join("\n"),
    times: worker.holds.map((hold) => `${momentText(hold.since, now)}|${endOf(hold, worker, now)}`).join("\n"),
    runs: builds ? JSON.stringify(builds.map((each) => [each.builder, each.builderid, each.number, leftText(each, now)])) : "",
  };
}

function drainNotes({ drain }, now) {
  if (drain?.state !== "draining" || drain.deadline === null) return [];
  return [drainDeadline(drain.on_deadline, momentText(drain.deadline, now))];
}

/** When a hold ends; "" for that of a single one, if the worker is back then: another column says it. */
function endOf(hold, { holds, back_at }, now) {
  const alone = holds.length === 1 && hold.until === back_at;
  return hold.until === null || alone ? "" : momentText(hold.until, now);
}

function SelectAll({ workers, many, onSelect }) {
  const box = useRef(null);
  const all = many > 0 && many === workers.length;
  useEffect(() => {
    box.current.indeterminate = many > 0 && !all;
  }, [many, all]);
  const change = (event) =>
    onSelect(
      workers.map((worker) => worker.workerid),
      event.target.checked,
    );
  return h("input", {
    type: "checkbox",
    ref: box,
    checked: all,
    disabled: !workers.length,
    onChange: change,
    "aria-label": "Select all shown",
  });
}

function SortableHead({ name, text, sort, onSort }) {
  const down = sort === `-${name}`;
  const by = sort === name || down;
  return h(
    "th",
    {
      scope: "col",
      className: `presence-${name}`,
      "aria-sort": by ? (down ? "descending" : "ascending") : undefined,
    },
    h(
      "button",
      { type: "button", className: "presence-sort", onClick: () => onSort(by && !down ? `-${name}` : name) },
      text,
      h("span", { "aria-hidden": true }, by ? (down ? " ▾" : " ▴") : ""),
    ),
  );
}

const Cells = memo(function Cells({ worker, onOrder, back, backIn, next, nextReason, work, notes, times, runs, info }) {
  const { name } = worker;
  return [
    h(
      "th",
      { key: "name", scope: "row" },
      h(Link, { to: pageOf(name) }, said(name)),
      (info ? info.split("\n") : []).map((text) => h("small", { key: text, className: "presence-line" }, text)),
    ),
    h(
      "td",
      { key: "state", className: "presence-states" },
      h(WorkerState, { worker }),
      work && h("small", { className: "presence-line" }, `works in its breaks until ${work}`),
    ),
    h("td", { key: "why" }, h(Reasons, { worker, times, notes })),
    h("td", { key: "until", "data-label": "Until" }, h(Until, { worker, back, backIn })),
    h("td", { key: "running", "data-label": "Running" }, h(Running, { worker, runs })),
    h("td", { key: "next", "data-label": "Next break" }, next && h("span", { title: nextReason ?? undefined }, next)),
    h("td", { key: "actions", className: "presence-actions" }, h(Actions, { worker, onOrder })),
  ];
});

/** The address of our page about a worker. */
export function pageOf(name) {
  return `/presence?${new URLSearchParams({ view: "worker", worker: name })}`;
}

/** Why it does not accept builds: a line for each hold, with since when; `times` and `notes` are those of `timesOf()`. */
export function Reasons({ worker, times, notes }) {
  const each = times.split("\n").map((part) => part.split("|"));
  return [
    ...worker.holds.map((hold, place) => {
      const [since, until] = each[place];
      const parts = holdParts(hold, { drain: worker.drain !== null, since, until });
      return h("div", { key: place, className: "presence-hold", title: fullText(hold.since) }, sentence(parts));
    }),
    ...(worker.blocked ?? []).map(({ text }) =>
      h("div", { key: text, className: "presence-hold" }, said(text)),
    ),
    ...(notes ? notes.split("\n") : []).map((note) =>
      h("div", { key: note, className: "presence-note" }, note),
    ),
  ];
}

export function Until({ worker, back, backIn }) {
  // (when a lock is released is told where one asks why a request waits)
  if (worker.state === "AVAILABLE") return null;
  if (back === null) return h("span", { className: "presence-by" }, "not known");
  return h(
    "span",
    { title: fullText(worker.back_at) },
    back,
    h("small", { className: "presence-line" }, backIn),
  );
}

/** The builds that run, by name, with how long they take still; `runs` is that of `timesOf()`. */
export function Running({ worker, runs, most = NAMED }) {
  const builds = runs ? JSON.parse(runs) : [];
  // (how many there are is known before what they are called)
  if (!builds.length) return worker.running > 0 ? count(worker.running, "build") : null;
  return [
    ...builds.slice(0, most).map(([builder, builderid, number, left]) =>
      h(
        "div",
        { key: `${builderid} ${number}` },
        h(Link, { to: `/builders/${builderid}/builds/${number}` }, said(builder), ` #${number}`),
        left && h("small", { className: "presence-line" }, left),
      ),
    ),
    builds.length > most &&
      h("small", { key: "more", className: "presence-line" }, `and ${builds.length - most} more`),
  ];
}

/** The buttons for one worker. */
export function Actions({ worker, onOrder }) {
  const held = heldBy(worker, "admin") !== undefined;
  const button = (...how) => orderButton(worker, onOrder, ...how);
  return [
    worker.drain && button("release", "Cancel", "Cancel the drain of"),
    held && !worker.drain && button("release", "Release", "Release"),
    held && button(changeOf(worker), "Change…", worker.drain ? "Change the drain of" : "Change the hold of"),
    worker.holdable && !held && button("hold", "Hold…", "Hold"),
    worker.holdable && !held && button("drain", "Drain…", "Drain"),
    hasBreaks(worker) && button("work", "Work…", "Work in spite of its breaks:"),
    !worker.holdable && !isPaused(worker) && button("pause", "Pause…", "Pause"),
    isPaused(worker) && button("unpause", "Unpause", "Unpause"),
  ].filter(Boolean);
}
