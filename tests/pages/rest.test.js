// How a page asks Buildbot's REST API, and orders there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { get, order } from "./farm/rest.js";

/** What was asked for while `ask()` ran: `[address, options]`. */
async function asked(ask) {
  const { fetch } = globalThis;
  let found;
  globalThis.fetch = async (address, options) => {
    found = [address, options];
    return new Response(JSON.stringify({ presences: [], result: null }));
  };
  try {
    await ask();
  } finally {
    globalThis.fetch = fetch;
  }
  return found;
}

test("a question asks for JSON that is not indented, and for what is true now", async () => {
  const [address, options] = await asked(() => get("presences"));
  assert.equal(address, "api/v2/presences");
  assert.equal(options.headers.Accept, "application/json");
  assert.equal(options.cache, "no-store");
});

test("an order says that it is JSON", async () => {
  const [address, options] = await asked(() => order(7, "hold", { reason: "disks" }));
  assert.equal(address, "api/v2/presences/7");
  assert.equal(options.headers["Content-Type"], "application/json");
  assert.deepEqual(JSON.parse(options.body).params, { reason: "disks" });
});
