// What the week draws of a worker and of a builder, in UTC.

import assert from "node:assert/strict";
import { test } from "node:test";
import { barsOf, daysFrom, gapsOf } from "./farm/weeks.js";

const NOON = Date.UTC(2026, 10, 25, 12) / 1000;
const HOUR = 3600;
const DAY = 24 * HOUR;
const WEEK = daysFrom(NOON, 0, 7);

const rest = (from, to, more) => ({ start: NOON + from * HOUR, stop: to === null ? null : NOON + to * HOUR, reason: null, ...more });
const worker = (more) => ({ breaks: [], holds: [], work_until: null, drain: null, ...more });
const inHours = (bars) => bars.map(({ kind, start, stop }) => [kind, (start - NOON) / HOUR, (stop - NOON) / HOUR]);

test("a week has seven days from today's midnight, a month has numbers", () => {
  assert.equal(WEEK.first, NOON - 12 * HOUR);
  assert.equal(WEEK.last, WEEK.first + 7 * DAY);
  assert.deepEqual(WEEK.days.slice(0, 2).map(({ text }) => text), ["Today", "Thu 26 Nov"]);
  assert.equal(WEEK.place(NOON).toFixed(2), (100 / 14).toFixed(2));
  assert.equal(WEEK.place(NOON + 90 * DAY), 100);
  const month = daysFrom(NOON, 28, 28);
  assert.deepEqual([month.days[0].text, month.days[27].text], ["23", "19"]);
});

test("breaks are bars; worked ones are another kind; what is outside of the week is not drawn", () => {
  const breaks = [rest(-1, 2), rest(20, 22, { finish_before: true, interrupts_at: NOON + 21 * HOUR }), rest(400, 410), rest(-40, -30)];
  assert.deepEqual(inHours(barsOf(worker({ breaks }), WEEK, NOON)), [
    ["break", -1, 2],
    ["break presence-finishes", 20, 22],
    ["interrupts", 21, 21],
  ]);
  assert.deepEqual(inHours(barsOf(worker({ breaks: breaks.slice(0, 1), work_until: NOON + HOUR }), WEEK, NOON)), [
    ["break", -1, 0],
    ["worked", 0, 1],
    ["break", 1, 2],
  ]);
  assert.equal(barsOf(worker({ breaks: [rest(1, null)] }), WEEK, NOON)[0].stop, Infinity);
});

test("holds of people are drawn, in their words", () => {
  const [bar] = barsOf(worker({ holds: [{ source: "admin", by: "ann", reason: "disks", since: NOON, until: NOON + HOUR }] }), WEEK, NOON);
  assert.equal(bar.kind, "held");
  assert.equal(bar.text, "held by ann (disks): Wed 25 Nov 2026 12:00 – 13:00");
});

test("a builder has a gap where all of its workers are away", () => {
  const one = worker({ breaks: [rest(0, 3), rest(3, 5)] });
  const other = worker({ breaks: [rest(4, 10)], holds: [{ source: "admin", since: NOON + HOUR, until: NOON + 2 * HOUR }] });
  assert.deepEqual(inHours(gapsOf([one, other], WEEK, NOON)), [
    ["gap", 1, 2],
    ["gap", 4, 5],
  ]);
  assert.deepEqual(gapsOf([one, worker()], WEEK, NOON), []);
  const [none] = gapsOf([], WEEK, NOON);
  assert.deepEqual([none.start, none.stop], [WEEK.first, WEEK.last]);
});
