// What is asked of the master when the page is opened, and when.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { begin, shownFirst, takeFarm } from "./farm/farm.js";

const sockets = [];
const farms = [];
let asked = [];

globalThis.location = { href: "http://master/#/presence", hash: "#/presence" };
globalThis.cancelAnimationFrame = () => {};
globalThis.WebSocket = class {
  constructor() {
    sockets.push(this);
  }
  send(text) {
    this.onmessage({ data: JSON.stringify({ _id: JSON.parse(text)._id, msg: "OK" }) });
  }
  close() {}
};

/** A master that answers when one lets it. */
globalThis.fetch = (address) =>
  new Promise((resolve) => {
    const plural = address.split("/").at(-1);
    const answer = { presences: [], builderpresences: [], reconfigs: [{}], shutdowns: [{}], runningbuilds: [] };
    asked.push({ plural, answered: () => resolve(new Response(JSON.stringify(answer))) });
  });

const turns = async () => {
  for (let each = 0; each < 50; each++) await new Promise(setImmediate);
};
const plurals = () => asked.map(({ plural }) => plural).filter((each) => each.endsWith("presences"));

/** A farm that is followed until the end of the test. */
function followed() {
  const farm = takeFarm();
  farms.push(farm);
  farm.start();
  return farm;
}

beforeEach(() => {
  location.hash = "#/presence";
  sockets.length = 0;
  asked = [];
});

// (or node would wait for the next ping)
afterEach(() => farms.splice(0).forEach((each) => each.stop()));

test("the farm is followed before there is a page, which takes it as it is; another page has one of its own", () => {
  begin();
  assert.equal(sockets.length, 1);
  const one = followed();
  assert.equal(sockets.length, 1);
  assert.notEqual(followed(), one);
  assert.equal(sockets.length, 2);
});

test("what is shown is asked for first, and the other collection when that is there", async () => {
  for (const [hash, first, second] of [
    ["#/presence", "presences", "builderpresences"],
    ["#/presence?view=builders&text=a", "builderpresences", "presences"],
  ]) {
    asked = [];
    location.hash = hash;
    const farm = followed();
    sockets.at(-1).onopen();
    await turns();
    assert.deepEqual(plurals(), [first]);
    asked.find(({ plural }) => plural === first).answered();
    await turns();
    assert.deepEqual(plurals(), [first, second]);
    assert.notEqual(farm.snapshot()[first === "presences" ? "workers" : "builders"], null);
  }
});

test("the week shows workers", () => {
  assert.deepEqual(shownFirst("#/presence?view=week&rows=builders"), ["presences", "builderpresences"]);
});

test("what events tell is published once in a frame, and where the screen is late not before it has shown something", async () => {
  const frames = [];
  let now = 5000;
  globalThis.requestAnimationFrame = (frame) => frames.push(frame);
  globalThis.performance = { now: () => now };
  const farm = followed();
  const tell = (workerid) => {
    const message = { k: `presences/${workerid}/changed`, m: { workerid, name: `w${workerid}` } };
    sockets.at(-1).onmessage({ data: JSON.stringify(message) });
  };
  const told = (workerid) => {
    tell(workerid);
    const published = frames.length;
    if (published) frames.pop()();
    return published;
  };
  sockets.at(-1).onopen();
  await turns();
  for (const { answered } of asked) {
    answered();
    await turns();
  }
  tell(1);
  assert.equal(told(2), 1);
  // nobody looks
  now += 5000;
  assert.equal(told(3), 1);
  farm.subscribe(() => {});
  farm.shown(farm.snapshot());
  // however long nothing happened
  now += 5000;
  assert.equal(told(4), 1);
  now += 1000;
  assert.equal(told(5), 1);
  now += 1;
  assert.equal(told(6), 0);
  assert.deepEqual(farm.snapshot().workers.map((each) => each.name), ["w1", "w2", "w3", "w4", "w5"]);
  // one that has been overtaken is something, too
  farm.shown({});
  frames.pop()();
  assert.equal(farm.snapshot().workers.length, 6);
});

test("what the page does not show waits until what it shows is on the screen", async () => {
  const frames = [];
  globalThis.requestAnimationFrame = (frame) => frames.push(frame);
  const farm = followed();
  const tell = (plural, id) => {
    const message = { k: `${plural}/1/changed`, m: { [id]: 1, name: "one" } };
    sockets.at(-1).onmessage({ data: JSON.stringify(message) });
  };
  sockets.at(-1).onopen();
  await turns();
  for (const { answered } of asked) {
    answered();
    await turns();
  }
  const builders = () => farm.snapshot().builders.map((each) => each.name);
  farm.subscribe(() => {});
  farm.shown(farm.snapshot());
  tell("presences", "workerid");
  frames.pop()();
  tell("builderpresences", "builderid");
  assert.equal(frames.length, 0);
  farm.shown(farm.snapshot());
  frames.pop()();
  assert.deepEqual(builders(), ["one"]);
  // (where it is shown it is no less urgent than the other one is elsewhere)
  location.hash = "#/presence?view=builders";
  tell("builderpresences", "builderid");
  assert.equal(frames.length, 1);
});
