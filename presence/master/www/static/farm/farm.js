// The workers and builders of the master, and its reconfiguration, as they are now.

import { Builds } from "./builds.js";
import { learn } from "./clock.js";
import { Live } from "./live.js";
import { getAll, getReconfig, getShutdown } from "./rest.js";

// What Buildbot itself tells, and we ask about.
const BUILDS = ["builds/*/new", "builds/*/finished"];

const KINDS = { presences: "workerid", builderpresences: "builderid" };

// What follows from the time that passes (the breaks of the week) is not an event: so everything is asked for once in
// an hour, when the day may have changed in some zone. And where there was nothing to see, rather more often.
const HOUR = 3_600_000;
const AGAIN = 10_000;
const AFTER_THE_HOUR = 3000;

// A table of 500 rows is put together in the browser's free moments, and begun anew with each snapshot: for so long it may go on like
// that, in milliseconds.
const LATE = 1000;

const collator = new Intl.Collator("en", { numeric: true });

/**
 * Follows the master from `start()` to `stop()`. For React: `subscribe`, and `snapshot()`, which is the same object
 * for as long as nothing has changed:
 *
 * - `workers`, `builders`: the entities of the API, by name; null before they were there for the first time. An entity
 *   that has not changed is the same object.
 * - `builds`: a Map, by the names of workers, of the builds that run there: see `Builds`.
 * - `reconfig`: the entity of the API; null before it is known, and for a master that has none.
 * - `live`: whether they are up to date.
 * - `problem`: a `RestError`, or null.
 */
export class Farm {
  constructor() {
    this.listeners = new Set();
    this.known = { presences: new Map(), builderpresences: new Map() };
    this.touched = { presences: new Set(), builderpresences: new Set() };
    this.state = {
      workers: null,
      builders: null,
      builds: new Map(),
      reconfig: null,
      shutdown: null,
      live: false,
      problem: null,
    };
    this.changed = new Set();
    this.loaded = new Set();
    this.subscribe = this.subscribe.bind(this);
    this.snapshot = this.snapshot.bind(this);
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  snapshot() {
    return this.state;
  }

  start() {
    if (this.stopped === false) return;
    this.stopped = false;
    this.builds = new Builds((builds) => this.publish({ builds }));
    const ours = ["presences/*/*", "builderpresences/*/*", "reconfigs/*/*", "shutdowns/*/*"];
    this.live = new Live([...ours, ...BUILDS], {
      event: (key, message) => this.heard(key, message),
      open: () => this.load(),
      lost: () => this.publish({ live: false }),
    });
  }

  stop() {
    this.stopped = true;
    this.live.stop();
    this.builds.stop();
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
  }

  heard([plural, , event], entity) {
    if (plural === "reconfigs" || plural === "shutdowns") {
      this.publish({ [plural.slice(0, -1)]: entity });
      return;
    }
    if (plural === "builds") {
      this.builds.soon();
      return;
    }
    const id = entity[KINDS[plural]];
    this.touched[plural].add(id);
    if (event === "removed") {
      this.known[plural].delete(id);
    } else {
      this.known[plural].set(id, entity);
    }
    this.changed.add(plural);
    this.soon();
  }

  /** This snapshot is on the screen. */
  shown(state) {
    this.onScreen = state;
    this.shownAt = performance.now();
    this.soon();
  }

  /** Publish what events have told: once in a frame, however many there are; later where the screen is late, or nobody sees it. */
  soon() {
    if (!this.changed.size || this.isLate() || this.isUnseen()) return;
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      if (this.onScreen === this.state) this.shownAt = performance.now();
      this.publish({});
    });
  }

  isLate() {
    return this.listeners.size && this.onScreen !== this.state && performance.now() - this.shownAt > LATE;
  }

  /** Only the table that is not shown has changed: the other one would be begun anew for it. It waits until that is on the screen. */
  isUnseen() {
    return this.listeners.size && this.onScreen !== this.state && !this.changed.has(shownFirst(location.hash)[0]);
  }

  async load() {
    clearTimeout(this.timer);
    const round = (this.round = {});
    Object.values(this.touched).forEach((each) => each.clear());
    const over = () => round !== this.round || this.stopped;
    const load = async (plural) => {
      const { entities, clock } = await getAll(plural);
      if (over()) return;
      learn(clock);
      this.take(plural, entities);
      // whoever is there first is shown
      this.publish({});
    };
    this.loadOne("reconfig", getReconfig, over);
    this.loadOne("shutdown", getShutdown, over);
    try {
      for (const plural of shownFirst(location.hash)) await load(plural);
    } catch (problem) {
      if (over()) return;
      this.timer = setTimeout(() => this.load(), AGAIN);
      this.publish({ problem, live: false });
      return;
    }
    if (over()) return;
    this.timer = setTimeout(() => this.load(), HOUR - (Date.now() % HOUR) + AFTER_THE_HOUR);
    this.publish({ problem: null, live: this.live.opened });
    this.builds.soon();
  }

  /** The reconfiguration or the stop of the master: an entity, which events tell anew. */
  async loadOne(name, get, over) {
    const before = this.state[name];
    try {
      const entity = await get();
      // what an event has told meanwhile is newer
      if (!over() && this.state[name] === before) this.publish({ [name]: entity });
    } catch {
      // a master that has none; and of one that does not answer the banner says so, and the next connection asks again
    }
  }

  /** What was asked for. What an event has told meanwhile is newer. */
  take(plural, entities) {
    const before = this.known[plural];
    const touched = this.touched[plural];
    const after = new Map();
    for (const entity of entities) {
      const id = entity[KINDS[plural]];
      if (!touched.has(id)) after.set(id, same(before.get(id), entity));
    }
    for (const id of touched) {
      if (before.has(id)) after.set(id, before.get(id));
    }
    this.known[plural] = after;
    this.loaded.add(plural);
    this.changed.add(plural);
  }

  publish(more) {
    const state = { ...this.state, ...more };
    const changed = (plural) => this.changed.has(plural) && this.loaded.has(plural);
    if (changed("presences")) state.workers = byName(this.known.presences);
    if (changed("builderpresences")) state.builders = byName(this.known.builderpresences);
    this.changed.clear();
    this.state = state;
    this.listeners.forEach((listener) => listener());
  }
}

/** The collections in the order in which they are asked for: what the page at this address shows does not wait for the other one. */
export function shownFirst(hash) {
  const all = Object.keys(KINDS);
  return showsBuilders(hash) ? all.reverse() : all;
}

/** Whether the page at this address shows builders, and no workers. */
export function showsBuilders(hash) {
  return new URLSearchParams(hash.split("?")[1]).get("view") === "builders";
}

let first = null;

/**
 * Where our page is what is opened the farm is followed before there is anything to show it: so the master makes its answers while the
 * browser loads what shows them.
 */
export function begin() {
  first = new Farm();
  first.start();
}

/** The farm for a page: the one that has been begun, once. */
export function takeFarm() {
  const farm = first ?? new Farm();
  first = null;
  return farm;
}

function byName(entities) {
  return [...entities.values()].sort((one, other) => collator.compare(one.name, other.name));
}

function same(before, after) {
  return before && JSON.stringify(before) === JSON.stringify(after) ? before : after;
}
