// What may be ordered: hold, release, work in spite of the breaks.

import { hasBreaks, heldBy } from "./choice.js";
import { order, orderMany } from "./rest.js";

/**
 * By action: the `title` of its dialog, the text of its `button`, `done` (what has been done with the workers), `of`:
 * whether it may be ordered for a worker, and `others`: why workers are left out for which it may not.
 */
export const ACTIONS = {
  hold: {
    title: "Hold",
    button: "Hold",
    done: "held",
    of: (worker) => worker.holdable,
    others: "Buildbot's own workers cannot be held; they can be paused",
  },
  release: {
    title: "Release",
    button: "Release",
    done: "released",
    of: (worker) => worker.holdable && heldBy(worker, "admin") !== undefined,
    others: "no admin holds them",
  },
  work: {
    title: "Work in spite of the breaks",
    button: "Let work",
    done: "told",
    of: hasBreaks,
    others: "they have no breaks",
  },
};

/** Order `action` for all of `workers`, or for none of them: then it fails with what the master says. */
export async function orderAll(action, workers, params) {
  if (workers.length > 1) {
    await orderMany(
      workers.map((worker) => worker.name),
      action,
      params,
    );
  } else {
    await order(workers[0].workerid, action, params);
  }
}
