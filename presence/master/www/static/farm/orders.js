// What may be ordered: hold, release, work in spite of the breaks.

import { hasBreaks, heldBy } from "./choice.js";
import { order } from "./rest.js";

// How many orders are under way at a time. Each is stored by the master before it answers.
const AT_ONCE = 4;

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

/**
 * Order `action` for each of `workers`. `progress(number)` is called after each; `stopped()` says whether to skip the
 * rest. Resolves to `failed`, a list of `{worker, problem}`, and `done`, how many have been done.
 */
export async function orderAll(action, workers, params, progress, stopped) {
  const left = [...workers];
  const failed = [];
  let done = 0;
  const one = async () => {
    while (left.length && !stopped()) {
      const worker = left.shift();
      try {
        await order(worker.workerid, action, params);
        done += 1;
      } catch (problem) {
        failed.push({ worker, problem });
      }
      progress(done + failed.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return { done, failed };
}
