// Why a request waits, as sentences: what `waiting.py` says in the command line, of the same words.

import { atText } from "./holds.js";
import words from "./wordlist.js";

/** A reason of the API with its instants. `moment` says an instant, `duration` a number of seconds. */
export function reasonText(reason, { now, moment, duration }) {
  const { text, since, until, estimated } = reason;
  return [
    text,
    since === null ? "" : filled(words.since, "{since}", moment(since)),
    until === null
      ? ""
      : estimated
        ? filled(words.waiting.more, "{more}", duration(Math.max(0, until - now)))
        : filled(words.until, "{until}", moment(until)),
  ].join("");
}

/** When a request may start: a sentence. */
export function startText({ earliest, estimated }, { now, moment, duration }) {
  const { at, about, unknown, now: atOnce } = words.waiting;
  if (earliest === null) return unknown;
  if (earliest <= now) return atOnce;
  return estimated
    ? filled(about, "{more}", duration(earliest - now))
    : filled(at, "{at}", atText(moment(earliest)));
}

/** Why a request (of the API's `requestpresences`) waits, and when it may start. */
export function whyText(entity, clocks) {
  const beginning = words.waiting.beginnings[entity.state];
  if (!beginning.includes("{why}")) return beginning;
  const why = entity.summary.map((each) => reasonText(each, clocks)).join(words.waiting.and);
  return `${filled(beginning, "{why}", `${why}.`)} ${startText(entity, clocks)}`;
}

// (a text from people may have a dollar in it, which String.replace() would obey)
function filled(template, name, value) {
  return template.replace(name, () => value);
}
