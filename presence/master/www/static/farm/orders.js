// What may be ordered: hold, drain, release, work in spite of the breaks; hold and release of a builder itself; and pause, which
// is Buildbot's own.

import { hasBreaks, heldBy } from "./choice.js";
import { order, orderBuilder, orderMany, orderTheirs } from "./rest.js";
import words from "../wordlist.js";

/**
 * By action: the `title` of its dialog, the text of its `button`, `done` (what has been done with the workers), `of`:
 * whether it may be ordered for a worker, and `others`: why workers are left out for which it may not; `asks`: the fields
 * of its dialog; `says`: what is to be known before; `replaces`: whether it ends what an admin has ordered before; `theirs`: whether
 * it is Buildbot's own; `ofBuilder`: what the order is called where it is one of a builder.
 */
export const ACTIONS = {
  hold: {
    title: "Hold",
    button: "Hold",
    done: "held",
    of: (worker) => worker.holdable,
    others: "Buildbot's own workers cannot be held; they can be paused",
    asks: ["reason", "until"],
    never: "until somebody releases it",
    replaces: true,
  },
  drain: {
    title: "Drain",
    button: "Drain",
    done: "draining",
    of: (worker) => worker.holdable,
    others: "Buildbot's own workers cannot be drained; they can be paused",
    asks: ["reason", "deadline"],
    never: "as long as it takes",
    says: "No new build starts; those that run, and what they wait for, are finished. It stays so until somebody releases it.",
    replaces: true,
  },
  release: {
    title: "Release",
    button: "Release",
    done: "released",
    of: (worker) => worker.holdable && heldBy(worker, "admin") !== undefined,
    others: "no admin holds or drains them",
    asks: [],
    says: "This ends the hold or the drain that an admin has ordered, and nothing else: a break goes on, and so does the owner's away.",
  },
  work: {
    title: "Work in spite of the breaks",
    button: "Let work",
    done: "told",
    of: hasBreaks,
    others: "they have no breaks",
    asks: ["until"],
    never: "keep the breaks again, from now on",
  },
  pause: {
    title: "Pause",
    button: "Pause",
    done: "paused",
    of: (worker) => heldBy(worker, "pause") === undefined,
    others: "they are paused",
    asks: ["reason"],
    says: "Buildbot's own way to start no builds on it, until somebody unpauses it.",
    theirs: true,
  },
  unpause: {
    title: "Unpause",
    button: "Unpause",
    done: "no longer paused",
    of: isPaused,
    others: "they are not paused",
    asks: [],
    says: "This ends Buildbot's own pause or quarantine, and nothing else.",
    theirs: true,
  },
  holdBuilder: {
    title: "Hold the builder",
    button: "Hold",
    done: "held",
    of: () => true,
    asks: ["reason", "until"],
    never: "until somebody releases it",
    says: `The builder, instead of workers: ${words.builderOnly}. What runs is finished, and what waits keeps its place.`,
    replaces: true,
    ofBuilder: "hold",
  },
  releaseBuilder: {
    title: "Release the builder",
    button: "Release",
    done: "released",
    of: () => true,
    asks: [],
    says: "This ends the hold of the builder itself, and nothing else: its workers do as before.",
    ofBuilder: "release",
  },
};

/** Whether Buildbot's own "unpause" would do something for it. */
export function isPaused(worker) {
  return heldBy(worker, "pause") !== undefined || heldBy(worker, "quarantine") !== undefined;
}

/** What the dialog that changes the order of an admin is called by. */
export function changeOf(worker) {
  return worker.drain ? "drain" : "hold";
}

/** The group of a drain of these: what runs on one of them may wait for a build that another one has to do. */
export function groupOf(workers) {
  const [group, ...others] = new Set(workers.map((worker) => worker.drain?.group ?? null));
  if (group !== null && !others.length) return group;
  return workers.length > 1 ? `drain ${Math.random().toString(16).slice(2, 10)}` : null;
}

/** Order `action` for all of `workers`, or for none of them, or for one builder: it fails with what the master says. */
export async function orderAll(action, workers, params) {
  const { ofBuilder } = ACTIONS[action];
  if (ofBuilder) return notConfirmed([await orderBuilder(workers[0].builderid, ofBuilder, params)]);
  if (ACTIONS[action].theirs) {
    await orderEach(action, workers, params);
    return null;
  }
  if (workers.length > 1) {
    const names = workers.map((worker) => worker.name);
    const { presences } = await orderMany(names, action, params);
    return notConfirmed(presences);
  }
  return notConfirmed([await order(workers[0].workerid, action, params)]);
}

/** What is to be said of orders that are stored, and that a master has not confirmed; null when all are heeded. */
export function notConfirmed(answers) {
  const waiting = answers.filter((answer) => answer.order?.text);
  const texts = [...new Set(waiting.map((answer) => answer.order.text))];
  return texts.length ? texts.join("; ") : null;
}

/** Buildbot's own orders are for one worker each: where one is refused it is said of how many it was heeded. */
async function orderEach(action, workers, params) {
  for (const [place, { workerid, name }] of workers.entries()) {
    try {
      await orderTheirs(workerid, action, params);
    } catch (problem) {
      if (workers.length > 1) problem.message = `${name}: ${problem.message}; it was done for ${place} before`;
      throw problem;
    }
  }
}
