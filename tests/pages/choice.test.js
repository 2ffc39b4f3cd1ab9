// Of which kind a worker is, which workers are chosen, and in which order they stand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { choiceText, chosen, countText, groupsOf, inState, nextBreak, orderedHold, sorted, troublesFirst } from "./farm/choice.js";
import { KINDS, counted, kindOf, kindText } from "./farm/kinds.js";
import { isolated, stateText } from "./holds.js";

const NOW = 1000;

function worker(name, more = {}) {
  return {
    name,
    state: more.holds?.length ? "NOT_ACCEPTING_NEW_BUILDS" : "AVAILABLE",
    holds: [],
    drain: null,
    limits: [],
    blocked: [],
    breaks: [],
    next_break: null,
    back_at: null,
    busy: false,
    running: 0,
    builders: [],
    ...more,
  };
}

const held = (source, more) => ({ source, reason: null, by: null, since: 0, until: null, ...more });

const ALL = {
  available: worker("w1"),
  busy: worker("w2", { busy: true, running: 1 }),
  partial: worker("w3", { limits: [{ limit: "only lint", until: null }] }),
  locked: worker("w4", { blocked: [{ kind: "lock", text: "waits for the lock db, which a #1 has" }] }),
  break: worker("w5", { holds: [held("break")], back_at: 2000 }),
  held: worker("w6", { holds: [held("admin", { reason: "disks", by: "ann" })] }),
  draining: worker("w7", { holds: [held("admin")], drain: { state: "draining" } }),
  drained: worker("w8", { holds: [held("admin")], drain: { state: "drained" } }),
  offline: worker("w9", { holds: [held("offline"), held("admin")] }),
};

test("each worker is of one kind, and each kind has a word", () => {
  for (const [kind, each] of Object.entries(ALL)) assert.equal(kindOf(each, false), kind);
  const reconfigured = worker("w", { blocked: [{ kind: "reconfig", text: "held for a reconfiguration" }] });
  assert.equal(kindOf(reconfigured, false), "held");
  assert.equal(kindOf(ALL.available, true), "stopping");
  assert.equal(kindOf(ALL.break, true), "break");
  assert.deepEqual(
    KINDS.map(([kind]) => kind).filter((kind) => kind !== "stopping").sort(),
    Object.keys(ALL).sort(),
  );
  assert.equal(counted(Object.values(ALL), false).get("held"), 1);
  // an entity of an older master, which tells of neither
  assert.equal(kindOf({ holds: [], drain: null, busy: false }, false), "available");
});

test("a state filters by kinds, sources, and all that accept nothing", () => {
  const names = (state, stopping = false) => inState(Object.values(ALL), state, stopping).map(({ name }) => name);
  assert.deepEqual(names("held,locked"), ["w4", "w6"]);
  assert.deepEqual(names("admin"), ["w6", "w7", "w8", "w9"]);
  assert.deepEqual(names("away"), ["w4", "w5", "w6", "w7", "w8", "w9"]);
  assert.deepEqual(names("stopping", true), ["w1", "w2", "w3", "w4"]);
  assert.equal(names("").length, 9);
});

test("words choose by name, reason, person and what blocks", () => {
  const builders = [{ builderid: 1, name: "lint" }, { builderid: 2, name: "lint-all" }];
  const workers = [...Object.values(ALL), worker("x", { builders: [1] }), worker("y", { builders: [2] })];
  const names = (text, builder = "") => chosen(workers, builders, { text, builder }).map(({ name }) => name);
  assert.deepEqual(names("DISKS ann"), ["w6"]);
  assert.deepEqual(names("lock db"), ["w4"]);
  assert.deepEqual(names("", "lint"), ["x"]);
  assert.deepEqual(names("", "int"), ["x", "y"]);
  assert.deepEqual(names("nobody"), []);
});

test("a group is chosen by its name, and found by it", () => {
  const workers = [worker("x", { groups: ["rack-10"] }), worker("y", { groups: ["rack-10", "rack-2"] }), worker("z")];
  const names = (choice) => chosen(workers, [], { text: "", builder: "", ...choice }).map(({ name }) => name);
  assert.deepEqual(groupsOf(workers), ["rack-2", "rack-10"]);
  assert.deepEqual(names({ group: "rack-2" }), ["y"]);
  assert.deepEqual(names({ text: "rack-10" }), ["x", "y"]);
  assert.deepEqual(names({}), ["x", "y", "z"]);
  assert.equal(choiceText({ text: "", state: "", builder: "", group: "rack-2" }), "that belongs to “rack-2”");
});

test("what is chosen is said", () => {
  assert.equal(choiceText({ text: " disks ", state: "held,break", builder: "lint" }), "held or on a break, with “disks”, that can build “lint”");
  assert.equal(choiceText({ text: "", state: "", builder: "" }), "");
  assert.equal(countText(3, 8), "3 of 8 workers");
  assert.equal(countText(1, 1), "1 worker");
});

test("a column sorts up and down, and what is not known comes last", () => {
  const workers = [worker("w10"), worker("w9", { running: 2 }), ALL.break];
  const names = (key) => sorted(workers, key, NOW).map(({ name }) => name);
  assert.deepEqual(names("name"), ["w5", "w9", "w10"]);
  assert.deepEqual(names("-name"), ["w10", "w9", "w5"]);
  assert.deepEqual(names("running"), ["w9", "w10", "w5"]);
  assert.equal(names("until")[0], "w5");
  assert.equal(names("-until")[0], "w5");
  assert.deepEqual(names("of-the-future"), names("name"));
});

test("the next break is one that has not begun", () => {
  const breaks = [{ start: 900 }, { start: 1100 }];
  assert.equal(nextBreak(worker("w", { next_break: breaks[0], breaks }), NOW), breaks[1]);
  assert.equal(nextBreak(worker("w", { next_break: breaks[1], breaks }), NOW), breaks[1]);
  assert.equal(nextBreak(worker("w"), NOW), null);
});

test("builders with requests and nobody ready come first", () => {
  const builders = [
    { name: "a", ready: 1, waiting: 3 },
    { name: "b", ready: 0, waiting: 0 },
    { name: "c", ready: 0, waiting: 2 },
  ];
  assert.deepEqual(troublesFirst(builders).map(({ name }) => name), ["c", "b", "a"]);
});

test("what is called available is what builds start on", () => {
  for (const [kind, each] of Object.entries(ALL)) {
    const starts = ["available", "busy", "partial"].includes(kind);
    assert.equal(stateText(each) === "available", starts, kind);
  }
  assert.equal(stateText(ALL.locked), kindText("locked"));
});

test("a text from people turns nothing around", () => {
  assert.equal(isolated("a\u202eb"), "a\ufffdb");
  assert.equal(isolated("עברית"), "\u2068עברית\u2069");
});

test("what an admin has ordered is one of a worker's holds, and the only hold of a builder", () => {
  const hold = held("admin");
  assert.equal(orderedHold(worker("a", { holds: [held("break"), hold] })), hold);
  assert.equal(orderedHold(worker("a", { holds: [held("break")] })), undefined);
  assert.equal(orderedHold({ name: "b", hold }), hold);
  assert.equal(orderedHold({ name: "b", hold: null }), null);
});
