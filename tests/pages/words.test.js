// Instants, durations and numbers as people write them, in UTC.

import assert from "node:assert/strict";
import { test } from "node:test";
import { atText } from "./holds.js";
import { count, dayText, durationText, fullText, inText, momentText, some } from "./farm/words.js";

const NOON = Date.UTC(2026, 10, 25, 12) / 1000; // a Wednesday
const HOUR = 3600;
const DAY = 24 * HOUR;

test("a moment is as short as it is clear", () => {
  const said = [0, 13, -13, 5 * 24, 7 * 24, -2 * 24, 400 * 24].map((hours) => momentText(NOON + hours * HOUR, NOON));
  assert.deepEqual(said, [
    "12:00",
    "tomorrow 01:00",
    "yesterday 23:00",
    "Mon 12:00",
    "2 Dec 12:00",
    "23 Nov 12:00",
    "30 Dec 2027 12:00",
  ]);
  assert.equal(fullText(NOON), "Wed 25 Nov 2026 12:00");
  assert.equal(dayText(NOON), "Wed 25 Nov");
});

test("when something happens is said with the word that goes with it", () => {
  const said = ["18:00", "tomorrow 08:00", "Fri 19:00", "24 Dec 2027 12:00"].map(atText);
  assert.deepEqual(said, ["at 18:00", "tomorrow at 08:00", "on Fri 19:00", "on 24 Dec 2027 12:00"]);
});

test("a duration is as exact as people want it", () => {
  const said = [-3, 0, 40, 90, 9 * 60, 700, 2 * HOUR + 300, 30 * HOUR, 9 * DAY].map(durationText);
  assert.deepEqual(said, ["0 s", "0 s", "40 s", "1 min 30 s", "9 min", "12 min", "2 h 5 min", "1 d 6 h", "9 d"]);
  assert.equal(inText(NOON + 60, NOON), "in 1 min");
  assert.equal(inText(NOON, NOON), "now");
});

test("what is counted is one, or several", () => {
  assert.equal(count(1, "worker"), "1 worker");
  assert.equal(count(0, "worker"), "0 workers");
  assert.equal(some(["a", "b", "c"], 2), "a, b and 1 more");
  assert.equal(some(["a", "b"], 2), "a, b");
});
