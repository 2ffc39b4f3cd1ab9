// What the strip says on each of Buildbot's pages: what is asked for, which events make it something else, and the lines.

import { holdText, isolated, stateText } from "../holds.js";
import { whyText } from "../waiting.js";
import { notesOf } from "./breaknotes.js";
import { isAvailable } from "./choice.js";
import { KINDS, counted, isStopping } from "./kinds.js";
import { count } from "./words.js";

const HERE = "/presence";

// How many requests of many are told with their reasons.
const TOLD = 3;

const ABOUT_WORK = ["presences/*/*", "builds/*/*", "buildrequests/*/*", "shutdowns/*/*"];
const ABOUT_WORKERS = ["presences/*/*", "shutdowns/*/*"];

const FIELDS = ["name", "state", "holds", "drain", "busy", "running", "back_at", "limits", "refused", "blocked", "interrupts_at"]
  .map((name) => `field=${name}`)
  .join("&");

/** What is said of a master that stops. */
export const STOPPING = "The master is stopping: no build starts.";

const SUBJECTS = [
  [
    /^\/buildrequests\/(\d+)\/?$/,
    (id) => ({ paths: [`requestpresences/${id}`], events: ABOUT_WORK, say: sayRequest }),
  ],
  [
    /^\/builders\/(\d+)\/?$/,
    (id) => ({ paths: [`builders/${id}/requestpresence`], events: ABOUT_WORK, say: sayRequest }),
  ],
  [
    /^\/workers\/(\d+)\/?$/,
    (id) => ({ paths: [`presences/${id}?${FIELDS}`, "shutdown"], events: ABOUT_WORKERS, say: sayWorker }),
  ],
  [
    /^\/workers\/?$/,
    () => ({ paths: [`presences?${FIELDS}`, "shutdown"], events: ABOUT_WORKERS, say: sayWorkers }),
  ],
  [
    /^\/pendingbuildrequests\/?$/,
    () => ({ paths: [`requestpresences?limit=${TOLD}`], events: ABOUT_WORK, say: sayPending }),
  ],
];

/**
 * What there is to say on the page of Buildbot's with this path, null if nothing: `paths` of the API, `events` that may
 * change it, and `say(answers, clocks)`, which gives `{sign, lines, to}`: good, wait or stop; the texts; our page for it.
 */
export function subjectOf(pathname) {
  for (const [pattern, make] of SUBJECTS) {
    const match = pattern.exec(pathname);
    if (match) return make(...match.slice(1));
  }
  return null;
}

function sayRequest([answer], clocks) {
  const [entity] = answer.requestpresences;
  const told = ["waiting", "none", "free"].includes(entity.state);
  const to = entity.builder ? `${HERE}?${new URLSearchParams({ builder: entity.builder })}` : HERE;
  return {
    sign: entity.state === "free" ? "good" : entity.earliest === null ? "stop" : "wait",
    lines: told ? [isolated(whyText(entity, clocks))] : [],
    to,
  };
}

function sayWorker([answer, master], clocks) {
  const [worker] = answer.presences;
  const stopping = isStopping(master.shutdowns[0]);
  const state = stopping && worker.state === "AVAILABLE" ? [] : [stateText(worker)];
  const holds = worker.holds.map((hold) =>
    holdText(hold, {
      drain: Boolean(worker.drain),
      since: hold.source === "offline" ? clocks.moment(hold.since) : "",
      until: hold.until === null ? "" : clocks.moment(hold.until),
    }),
  );
  const blocked = (worker.blocked ?? []).map((each) => isolated(each.text));
  const running = worker.running ? [`${count(worker.running, "build")} running`] : [];
  const text = [...state, ...holds, ...blocked, ...notesOf(worker, clocks.now), ...running].join("; ");
  return {
    sign: isAvailable(worker) && !stopping ? "good" : worker.back_at === null ? "stop" : "wait",
    lines: [...(stopping ? [STOPPING] : []), ...(text ? [`${isolated(worker.name)}: ${text}`] : [])],
    to: `${HERE}?${new URLSearchParams({ text: worker.name })}`,
  };
}

function sayWorkers([answer, master]) {
  const stopping = isStopping(master.shutdowns[0]);
  const counts = counted(answer.presences, stopping);
  const text = KINDS.filter(([kind]) => counts.has(kind)).map(([kind, word]) => `${counts.get(kind)} ${word}`);
  const good = answer.presences.some(isAvailable) && !stopping;
  return {
    sign: good ? "good" : "stop",
    lines: [...(stopping ? [STOPPING] : []), ...(text.length ? [text.join(", ")] : [])],
    to: HERE,
  };
}

function sayPending([answer], clocks) {
  const waiting = answer.requestpresences;
  const total = answer.meta.total ?? waiting.length;
  if (!waiting.length) return { sign: "good", lines: [], to: HERE };
  const lines = waiting.map(
    (each) => `${isolated(each.builder ?? "")} (request ${each.buildrequestid}): ${isolated(whyText(each, clocks))}`,
  );
  return {
    sign: waiting.some((each) => each.earliest === null) ? "stop" : "wait",
    lines: [`${count(total, "request")} ${total === 1 ? "waits" : "wait"}.`, ...lines],
    to: `${HERE}?view=builders`,
  };
}
