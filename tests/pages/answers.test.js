// Answers that are cut off are asked for again; with a server of its own, over real sockets.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { once, repeatedly } from "./farm/answers.js";

const WHOLE = JSON.stringify({ presences: ["mac-mini", "é".repeat(40_000)] });
const PATIENCES = [400, 400, 30_000];
const STALL = 1000;

/** A server whose answers go these ways, one for each time that it is asked; and what it was asked. */
async function serving(ways, ask) {
  const asked = [];
  let way;
  // (counted where it is asked: a question that was given up may never come to a server that has no time)
  const { fetch } = globalThis;
  globalThis.fetch = (address, options) => {
    asked.push(options.method ?? "GET");
    way = ways.shift() ?? "whole";
    return fetch(address, options);
  };
  const server = createServer((_request, response) => {
    if (way === "silent") return;
    response.writeHead(200, { "Content-Length": Buffer.byteLength(WHOLE) });
    if (way === "whole") response.end(WHOLE);
    else response.write(WHOLE.slice(0, 30), () => way === "closed" && response.destroy());
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return { asked, found: await ask(`http://127.0.0.1:${server.address().port}/`) };
  } finally {
    globalThis.fetch = fetch;
    server.closeAllConnections();
    server.close();
  }
}

for (const way of ["silent", "short", "closed"]) {
  test(`a question whose answer is ${way} is asked again`, async () => {
    const { asked, found } = await serving([way, way], (url) => repeatedly(url, {}, PATIENCES, STALL));
    assert.equal(found.text, WHOLE);
    assert.equal(found.response.status, 200);
    assert.deepEqual(asked, ["GET", "GET", "GET"]);
  });
}

test("it is asked three times, and then that fails", async () => {
  const all = ["closed", "closed", "closed", "closed"];
  await assert.rejects(serving(all, (url) => repeatedly(url, {}, PATIENCES, STALL)));
  assert.equal(all.length, 1);
});

test("who refuses the connection is not asked again", async () => {
  const begun = Date.now();
  await assert.rejects(repeatedly("http://127.0.0.1:1/", {}, [60_000, 60_000], 60_000));
  assert.ok(Date.now() - begun < 50_000);
});

test("an order is given once", async () => {
  const all = ["closed", "whole"];
  await assert.rejects(serving(all, (url) => once(url, { method: "POST", body: "{}" })));
  assert.deepEqual(all, ["whole"]);
});
