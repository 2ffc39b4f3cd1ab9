// What a worker is counted as, on a chip and in its row: one of the kinds of kinds.py.

import { atText } from "../holds.js";
import words from "../wordlist.js";

/** `[kind, word]` of each, in the order in which they are shown. */
export const KINDS = Object.entries(words.kinds.names);

/** The kind of a worker; `stopping`: the master is, and starts no build on those that would accept one. */
export function kindOf(worker, stopping) {
  if (worker.drain) return worker.drain.state;
  if (worker.holds.length) return words.kinds.ofSource[worker.holds[0].source] ?? "held";
  if (stopping) return "stopping";
  // (a master that is older than the page tells of neither)
  if (worker.blocked?.length) return words.kinds.ofBlock[worker.blocked[0].kind] ?? "held";
  if (worker.limits?.length) return "partial";
  return worker.busy ? "busy" : "available";
}

export function kindText(kind) {
  return words.kinds.names[kind];
}

/** How many of the workers are of each kind. */
export function counted(workers, stopping) {
  const counts = new Map();
  for (const worker of workers) {
    const kind = kindOf(worker, stopping);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** What is said of the deadline of a drain, `at`, a text, and of that of a stop. */
export function drainDeadline(then, at) {
  return (words.kinds.drainDeadline[then] ?? `${then} {at}`).replace("{at}", () => atText(at));
}

export function stopDeadline(then, at) {
  const what = words.kinds.stopEnds[then] ?? then;
  return words.kinds.stopDeadline.replace("{at}", () => atText(at)).replace("{then}", () => what);
}

/** Whether the master stops, whose `shutdown` this is. */
export function isStopping(shutdown) {
  return shutdown?.state === "stopping";
}

export const { drainEnds: DRAIN_ENDS } = words.kinds;
