// Which workers are shown, and in which order.

import { sourceOf, sourceText } from "../holds.js";
import { KINDS, kindOf, kindText } from "./kinds.js";
import { count } from "./words.js";

const AWAY = "not accepting builds";

const collator = new Intl.Collator("en", { numeric: true });

const ORDER = KINDS.map(([kind]) => kind);

/** What a column is sorted by, as a function of a worker and of the present: a text, a number, or null (comes last). */
const KEYS = {
  name: (worker) => worker.name,
  state: (worker) => ORDER.indexOf(kindOf(worker, false)),
  why: (worker) =>
    worker.holds.length ? sourceText(sourceOf(worker.holds[0])) : (worker.blocked?.[0]?.text ?? null),
  until: (worker) => (worker.holds.length ? (worker.back_at ?? Number.MAX_VALUE) : null),
  running: (worker) => -worker.running,
  next: (worker, now) => nextBreak(worker, now)?.start ?? null,
};

/** Whether builds start: nothing holds it, and nothing else keeps every build from it. */
export function isAvailable(entity) {
  return entity.state === "AVAILABLE" && !entity.blocked?.length;
}

export function heldBy(worker, source) {
  return worker.holds.find((hold) => sourceOf(hold) === source);
}

/** The hold that an admin has ordered, of a worker or of a builder itself; null or undefined if there is none. */
export function orderedHold(entity) {
  return entity.holds ? heldBy(entity, "admin") : entity.hold;
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

/** The names of all groups of the workers. */
export function groupsOf(workers) {
  return [...new Set(workers.flatMap((worker) => worker.groups ?? []))].sort(collator.compare);
}

/** The workers that `text`, `builder` (a part of a builder's name) and `group` leave. */
export function chosen(workers, builders, { text, builder, group = "" }) {
  const tests = [];
  if (group) tests.push((worker) => worker.groups?.includes(group));
  if (builder.trim()) {
    const ids = idsOf(builders, builder.trim());
    tests.push((worker) => worker.builders.some((id) => ids.has(id)));
  }
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) {
    tests.push((worker) => {
      const said = [
        worker.name,
        ...(worker.groups ?? []),
        ...worker.holds.flatMap((hold) => [sourceText(sourceOf(hold)), hold.reason, hold.by]),
        ...(worker.blocked ?? []).map((each) => each.text),
      ];
      const all = said.join("\n").toLowerCase();
      return words.every((word) => all.includes(word));
    });
  }
  return tests.length ? workers.filter((worker) => tests.every((test) => test(worker))) : workers;
}

/** Those of the workers that `state` leaves: kinds, "away", or the sources of holds, with commas between; "" leaves all. */
export function inState(workers, state, stopping) {
  const states = statesOf(state);
  if (!states.length) return workers;
  const tests = states.map((each) => {
    if (kindText(each)) return (worker) => kindOf(worker, stopping) === each;
    if (each === "away") return (worker) => !isAvailable(worker);
    return (worker) => heldBy(worker, each) !== undefined;
  });
  return workers.filter((worker) => tests.some((test) => test(worker)));
}

export function statesOf(state) {
  return state.split(",").filter(Boolean);
}

/** What has been chosen, in words: "held or on a break, with "disks", that can build "runtests""; "" for nothing. */
export function choiceText({ text, state, builder, group = "" }) {
  const states = statesOf(state).map((each) => kindText(each) ?? (each === "away" ? AWAY : sourceText(each)));
  return [
    states.join(" or "),
    text.trim() && `with “${text.trim()}”`,
    builder.trim() && `that can build “${builder.trim()}”`,
    group && `that belongs to “${group}”`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** "33 workers", "8 of 33 workers" */
export function countText(shown, all) {
  return shown === all ? count(all, "worker") : `${shown} of ${count(all, "worker")}`;
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
