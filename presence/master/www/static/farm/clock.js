// What time it is, on the master's clock: that is the one by which holds and breaks begin and end.

import { useEffect, useState } from "../react.js";

// A browser whose clock differs by less than this is believed: the master's Date has whole seconds.
const TRIFLE = 2;

let ahead = 0;

/** Seconds since the epoch. */
export function now() {
  return Date.now() / 1000 + ahead;
}

/** Learn how far the master's clock is ahead of this one, from an answer of `getAll`. */
export function learn({ before, after, master }) {
  if (Number.isFinite(master)) {
    const difference = master + 0.5 - (before + after) / 2;
    ahead = Math.abs(difference) - (after - before) / 2 > TRIFLE ? difference : 0;
  }
}

/** `now()` in whole seconds: the component is rendered each second anew. */
export function useNow() {
  const [second, setSecond] = useState(() => Math.floor(now()));
  useEffect(() => {
    const timer = setInterval(() => setSecond(Math.floor(now())), 1000);
    return () => clearInterval(timer);
  }, []);
  return second;
}

/** The instants of the midnights around `days` days, the first of which is `ahead` of today, of this browser's clock: one more than days. */
export function midnights(at, days, ahead = 0) {
  const today = new Date(at * 1000);
  return Array.from(
    { length: days + 1 },
    (_, day) =>
      new Date(today.getFullYear(), today.getMonth(), today.getDate() + ahead + day).getTime() / 1000,
  );
}
