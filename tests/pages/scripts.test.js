// What Buildbot loads with every page of its own.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, normalize, dirname } from "node:path";
import { test } from "node:test";

const SCRIPT = readFileSync("scripts.js", "utf8");

/** The files that are asked for ahead when an address with this hash is opened. */
function preloaded(hash) {
  const links = [];
  const document = {
    currentScript: { src: "file:///nowhere/scripts.js" },
    createElement: () => ({}),
    head: { append: (link) => links.push(link) },
  };
  const window = {
    React: { createElement: () => null, lazy: () => null },
    ReactRouterDOM: {},
    BuildbotPluginSupport: { buildbotSetupPlugin: () => {} },
  };
  // (there is no such page here, which it says)
  const console = { error: () => {} };
  new Function("window", "document", "location", "console", SCRIPT)(window, document, { hash }, console);
  return links.map(({ rel, href }) => {
    assert.equal(rel, "modulepreload");
    return href.pathname.replace("/nowhere/", "");
  });
}

/** A module, and all that it imports, and so on. */
function imported(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const [, path] of readFileSync(name, "utf8").matchAll(/ from "([^"]+)"/g))
    imported(normalize(join(dirname(name), path)), found);
  return found;
}

test("where our page is opened all of its modules are asked for ahead, and nothing else", () => {
  assert.deepEqual(preloaded("#/presence?view=week").sort(), [...imported("page.js")].sort());
});

test("with Buildbot's own pages nothing is", () => {
  assert.deepEqual(preloaded("#/workers"), []);
  assert.deepEqual(preloaded(""), []);
});
