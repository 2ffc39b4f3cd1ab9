// Which workers are shown, and in which order.

import { SOURCES, sourceOf, sourceText } from "../holds.js";

const collator = new Intl.Collator("en", { numeric: true });

/** What may be chosen as state: `[value, text]`. */
export const STATES = [
  ["", "All states"],
  ["available", "Available"],
  ["away", "Not accepting builds"],
  ["busy", "Running builds"],
  ...SOURCES.map((source) => [source, capitalised(sourceText(source))]),
];

function capitalised(text) {
  return text[0].toUpperCase() + text.slice(1);
}

/** What a column is sorted by, as a function of a worker and of the present: a text, a number, or null (comes last). */
const KEYS = {
  name: (worker) => worker.name,
  state: (worker) => (worker.holds.length ? 1 : 0),
  why: (worker) => (worker.holds.length ? sourceText(sourceOf(worker.holds[0])) : null),
  until: (worker) => (worker.holds.length ? (worker.back_at ?? Number.MAX_VALUE) : null),
  running: (worker) => -worker.running,
  next: (worker, now) => nextBreak(worker, now)?.start ?? null,
};

export function isAvailable(entity) {
  return entity.state === "AVAILABLE";
}

export function heldBy(worker, source) {
  return worker.holds.find((hold) => sourceOf(hold) === source);
}

/** The first break that begins after now. The one that the master has sent may have begun since. */
export function nextBreak(worker, now) {
  const next = worker.next_break;
  return next && next.start <= now ? (worker.breaks.find((each) => each.start > now) ?? null) : next;
}

export function hasBreaks(worker) {
  return worker.holdable && (worker.next_break !== null || worker.breaks.length > 0);
}

/** Until when its breaks are suspended, or null. */
export function workUntil(worker, now) {
  return worker.work_until !== null && worker.work_until > now ? worker.work_until : null;
}

/** The workers that `text`, `state` and `builder` (a part of a builder's name) leave. */
export function chosen(workers, builders, { text, state, builder }) {
  const tests = [];
  if (state === "available") tests.push(isAvailable);
  else if (state === "away") tests.push((worker) => !isAvailable(worker));
  else if (state === "busy") tests.push((worker) => worker.busy);
  else if (state) tests.push((worker) => heldBy(worker, state));
  if (builder.trim()) {
    const ids = idsOf(builders, builder.trim());
    tests.push((worker) => worker.builders.some((id) => ids.has(id)));
  }
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) {
    tests.push((worker) => {
      const said = [
        worker.name,
        ...worker.holds.flatMap((hold) => [sourceText(sourceOf(hold)), hold.reason, hold.by]),
      ];
      const all = said.join("\n").toLowerCase();
      return words.every((word) => all.includes(word));
    });
  }
  return tests.length ? workers.filter((worker) => tests.every((test) => test(worker))) : workers;
}

/** The ids of the builder with this name; if there is none, of those whose names contain it. */
function idsOf(builders, text) {
  const lower = text.toLowerCase();
  const exact = builders.filter((each) => each.name === text);
  const found = exact.length ? exact : builders.filter((each) => each.name.toLowerCase().includes(lower));
  return new Set(found.map((each) => each.builderid));
}

/** The workers sorted by the column `key`, downwards when it begins with "-". Equals stay as they are, by name. */
export function sorted(workers, key, now) {
  const down = key.startsWith("-");
  const of = KEYS[down ? key.slice(1) : key] ?? KEYS.name;
  const keyed = workers.map((worker) => [of(worker, now), worker]);
  const sign = down ? -1 : 1;
  keyed.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null);
    return sign * (typeof one === "string" ? collator.compare(one, other) : one - other);
  });
  return keyed.map(([, worker]) => worker);
}

/** The builders: first those with pending requests and no ready worker, then the others with no ready worker. */
export function troublesFirst(builders) {
  const rank = (builder) => (builder.ready ? 2 : builder.waiting ? 0 : 1);
  return [...builders].sort((one, other) => rank(one) - rank(other));
}
