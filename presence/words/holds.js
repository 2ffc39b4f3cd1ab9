// The sentence for a hold, and texts from people: what both pages share. The words are those of holds.py.

import words from "./wordlist.js";

export const { does: DOES } = words;
export const SOURCES = Object.keys(words.holds);

// What is not shown as it is: what turns the text around, breaks the line, or cannot be seen. The two joiners are
// parts of letters and of emoji, and turn nothing around.
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const TO_THE_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** A text from people, in which nothing hides. To be put into an element that isolates it: <bdi>. */
export function shown(text) {
  return text.replace(UNSEEN, "\ufffd");
}

/** Likewise, for a string that goes on after it, as in an attribute: what is written to the left stays by itself. */
export function isolated(text) {
  const safe = shown(text);
  return TO_THE_LEFT.test(safe) ? `\u2068${safe}\u2069` : safe;
}

/** The state of a worker or builder of the API, as a word: "available", "drained". */
export function stateText(entity) {
  // (a master that is older than the page tells of none)
  if (entity.blocked?.length) return words.states[entity.blocked[0].kind] ?? words.states.NOT_ACCEPTING_NEW_BUILDS;
  return words.states[(entity.drain ?? entity).state];
}

/** What stands for the end of a hold without one, as in "until it is ended". */
export function openText(hold) {
  return words.ends[hold.source] ?? words.open;
}

/** What a hold is called by: the source, but `sensor` where the owner's machine has placed it, and not the owner. */
export function sourceOf(hold) {
  return hold.source === "worker" && hold.by === words.sensor ? "sensor" : hold.source;
}

/** What a sensor of the worker's status says; `until` is the text of its `quiet_until`. */
export function sensorText(sensor, until) {
  const quiet = sensor.holds && sensor.away !== true && until;
  return quiet ? words.quiet.replace("{until}", () => until) : words.says[String(sensor.away)];
}

/** What becomes of what runs, by `on_return` of the worker's status; `until` is the text of its `until`. */
export function returningText(returning, until) {
  const said = words.returning[returning.does] ?? `what runs: ${returning.does}`;
  return said + (until ? words.sentBack.replace("{until}", () => atText(until)) : "");
}

/** What a hold is called of which nobody knows who has placed it. */
export function sourceText(source) {
  return words.holds[source]?.[0] ?? source;
}

/**
 * The sentence for a hold, as a list: strings, and `{said}` for a text from people. `owner` says it to the owner of the
 * worker; `drain` is for the hold of an admin who drains the worker. `since` and `until` are texts of instants.
 */
export function holdParts(hold, { owner = false, drain = false, since = "", until = "" } = {}) {
  const source = sourceOf(hold);
  let [anybody, somebody] = words.holds[source] ?? [source, source];
  if (drain && source === "admin") [anybody, somebody] = words.drain;
  else if (owner && words.forOwner[source]) [anybody, somebody] = words.forOwner[source];
  const by = source === "worker" && hold.by === words.owner ? null : hold.by;
  return [
    ...(by ? filled(somebody, "{by}", { said: by }) : [anybody]),
    ...(hold.reason ? filled(words.why, "{reason}", { said: hold.reason }) : []),
    ...(since ? filled(words.since, "{since}", since) : []),
    ...(until ? filled(words.until, "{until}", until) : []),
  ];
}

/** The sentence for a hold as a string, for attributes. */
export function holdText(hold, options) {
  return holdParts(hold, options)
    .map((part) => (typeof part === "string" ? part : isolated(part.said)))
    .join("");
}

function filled(template, name, value) {
  const [before, after] = template.split(name);
  return after === undefined ? [template] : [before, value, after].filter((part) => part !== "");
}

/** The text of an instant, as something happens then: "at 18:00", "tomorrow at 08:00", "on Fri 19:00". */
export function atText(moment) {
  const [, day, clock] = /^(?:(.*) )?(\S+)$/.exec(moment);
  if (!day) return `at ${clock}`;
  return ["tomorrow", "yesterday"].includes(day) ? `${day} at ${clock}` : `on ${moment}`;
}
