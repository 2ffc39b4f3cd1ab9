// The table of the workers.

import { h, Link, memo, useContext, useEffect, useRef } from "../react.js";
import { notesOf } from "../farm/breaknotes.js";
import { hasBreaks, heldBy, isAvailable, nextBreak, workUntil } from "../farm/choice.js";
import { More, useGrowing } from "./growing.js";
import { Stopping } from "./stopping.js";
import { holdParts, isolated, stateText } from "../holds.js";
import { said, sentence } from "../farm/said.js";
import { fullText, inText, momentText } from "../farm/words.js";

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
 * `onOrder(action, workers)` opens the dialog.
 */
export function WorkersView({ workers, now, sort, onSort, selected, onSelect, onOrder, choice }) {
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
          onSelect,
          onOrder,
          ...timesOf(worker, now),
        }),
      ),
      h(More, { shown: rows, total: workers.length, columns: COLUMNS.length + 2, grow }),
    ),
  );
}

/** All texts that change with time. A row is rendered anew when one of them differs, and not each second. */
function timesOf(worker, now) {
  const next = nextBreak(worker, now);
  const work = workUntil(worker, now);
  const back = worker.back_at;
  return {
    back: back === null ? null : momentText(back, now),
    backIn: back === null ? null : inText(back, now),
    next: next && momentText(next.start, now),
    nextReason: next && next.reason && isolated(next.reason),
    work: work && momentText(work, now),
    notes: notesOf(worker, now).join("\n"),
    ends: worker.holds.map((hold) => endOf(hold, worker, now)).join("\n"),
  };
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

const WorkerRow = memo(function WorkerRow({
  worker,
  selected,
  onSelect,
  onOrder,
  back,
  backIn,
  next,
  nextReason,
  work,
  notes,
  ends,
}) {
  const { workerid, name } = worker;
  const untils = ends.split("\n");
  return h(
    "tr",
    { "data-worker": name, className: selected ? "table-active" : undefined },
    h(
      "td",
      null,
      h("input", {
        type: "checkbox",
        checked: selected,
        onChange: (event) => onSelect([workerid], event.target.checked),
        "aria-label": `Select ${isolated(name)}`,
      }),
    ),
    h("th", { scope: "row" }, h(Link, { to: `/workers/${workerid}` }, said(name))),
    h(
      "td",
      null,
      h(State, { entity: worker }),
      work && h("small", { className: "presence-line" }, `works in its breaks until ${work}`),
    ),
    h(
      "td",
      null,
      worker.holds.map((hold, place) => h(Hold, { key: place, hold, drain: worker.drain !== null, until: untils[place] })),
      notes && notes.split("\n").map((note) => h("div", { key: note, className: "presence-note" }, note)),
    ),
    h("td", null, h(Until, { worker, back, backIn })),
    h(
      "td",
      null,
      worker.running > 0 &&
        h(
          Link,
          { to: `/workers/${workerid}`, "aria-label": `${worker.running} running on ${isolated(name)}` },
          worker.running,
        ),
    ),
    h("td", null, next && h("span", { title: nextReason ?? undefined }, next)),
    h("td", { className: "presence-actions" }, h(Actions, { worker, onOrder })),
  );
});

export function State({ entity }) {
  const stopping = useContext(Stopping) && isAvailable(entity);
  const available = isAvailable(entity) && !stopping;
  return h(
    "span",
    { className: `presence-state ${available ? "presence-available" : "presence-away"}` },
    stateText(stopping ? { state: "stopping" } : entity),
  );
}

function Hold({ hold, drain, until }) {
  return h(
    "div",
    { className: "presence-hold", title: `since ${fullText(hold.since)}` },
    sentence(holdParts(hold, { drain, until })),
  );
}

function Until({ worker, back, backIn }) {
  if (isAvailable(worker)) return null;
  if (back === null) return h("span", { className: "presence-by" }, "not known");
  return h(
    "span",
    { title: fullText(worker.back_at) },
    back,
    h("small", { className: "presence-line" }, backIn),
  );
}

function Actions({ worker, onOrder }) {
  if (!worker.holdable)
    return h(
      "small",
      { className: "presence-by", title: "One of Buildbot's own workers: it can be paused" },
      "stock worker",
    );
  const held = heldBy(worker, "admin");
  const button = (action, text, title) =>
    h(
      "button",
      {
        type: "button",
        className: "btn btn-sm btn-outline-secondary",
        title,
        "aria-label": `${title} ${isolated(worker.name)}`,
        onClick: () => onOrder(action, [worker]),
      },
      text,
    );
  return [
    held ? h("span", { key: "release" }, button("release", "Release", "Release")) : null,
    h(
      "span",
      { key: "hold" },
      button("hold", held ? "Change…" : "Hold…", held ? "Change the hold of" : "Hold"),
    ),
    hasBreaks(worker)
      ? h("span", { key: "work" }, button("work", "Work…", "Work in spite of its breaks:"))
      : null,
  ];
}
