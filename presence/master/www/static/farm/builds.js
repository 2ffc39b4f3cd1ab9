// The builds that run, by the worker: with what their names are and how long they take still.

import { now } from "./clock.js";
import { getAll } from "./rest.js";
import { durationText } from "./words.js";
import words from "../wordlist.js";

// The earliest that they are asked for again, and the latest: estimates change. In milliseconds.
const SOON = 1500;
const LATE = 60_000;

/** Asks for them when `soon()` says that some have begun or ended, until `stop()`; `take(builds)` gets them by worker. */
export class Builds {
  constructor(take) {
    this.take = take;
    this.at = 0;
  }

  soon() {
    if (this.asking) {
      this.again = true;
    } else {
      this.later(Math.max(0, this.at + SOON - Date.now()));
    }
  }

  later(pause) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), pause);
  }

  async ask() {
    this.asking = true;
    this.again = false;
    this.at = Date.now();
    try {
      const { entities } = await getAll("runningbuilds");
      if (!this.stopped) this.take(byWorker(entities));
    } catch {
      // a master that is older than the page has none; of one that does not answer the banner says so
    }
    this.asking = false;
    if (!this.stopped) this.later(this.again ? SOON : LATE);
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
  }
}

function byWorker(entities) {
  const found = new Map();
  for (const { builder, builderid, number, worker, started_at: since, remaining } of entities) {
    const ends = remaining === null ? null : now() + remaining;
    found.set(worker, [...(found.get(worker) ?? []), { builder, builderid, number, worker, since, ends }]);
  }
  return found;
}

/** "for about 12 min more", in whole minutes; "" where that is not known. */
export function leftText({ ends }, at) {
  if (ends === null) return "";
  const minutes = Math.max(1, Math.ceil((ends - at) / 60));
  return words.waiting.more.replace("{more}", durationText(60 * minutes)).replace(/^, /, "");
}
