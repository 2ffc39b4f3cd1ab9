// Texts from people: a name or a reason in any direction of writing cannot turn around what stands beside it.

import { h } from "../react.js";
import { shown } from "../holds.js";

/** An element with the text. */
export function said(text, props) {
  return h("bdi", props, shown(text));
}

/** The parts of a sentence, as of `holdParts()`: strings, and `{said}` for a text from people. */
export function sentence(parts) {
  return parts.map((part, place) => (typeof part === "string" ? part : said(part.said, { key: place })));
}
