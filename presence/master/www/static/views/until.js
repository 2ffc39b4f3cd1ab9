// The field "Until" of a dialog: a duration, a time, or no end.

import { h, useId } from "../react.js";
import { now } from "../farm/clock.js";
import { momentText } from "../farm/words.js";

const NEVER = "never";
const MOMENT = "moment";

const DURATIONS = [
  [1800, "for 30 minutes"],
  [3600, "for 1 hour"],
  [7200, "for 2 hours"],
  [14400, "for 4 hours"],
  [28800, "for 8 hours"],
  [86400, "for 1 day"],
  [604800, "for 1 week"],
];

/** `choice` is the selected option, `moment` the text of a local time, `never` the text of the option without an end. */
export function UntilField({ label, never, choice, moment, onChange }) {
  const id = useId();
  return h(
    "div",
    { className: "form-group" },
    h("label", { htmlFor: id }, label),
    h(
      "select",
      {
        id,
        className: "form-control",
        value: choice,
        onChange: (event) => onChange(event.target.value, moment || localText(now() + 3600)),
      },
      never && h("option", { value: NEVER }, never),
      DURATIONS.map(([seconds, text]) => h("option", { key: seconds, value: seconds }, text)),
      h("option", { value: MOMENT }, "until a time…"),
    ),
    choice === MOMENT &&
      h("input", {
        type: "datetime-local",
        className: "form-control mt-2",
        "aria-label": "Until",
        required: true,
        value: moment,
        onChange: (event) => onChange(choice, event.target.value),
      }),
  );
}

/** The `choice` and `moment` that stand for `until`, an instant or null; `kept` is that instant, which a minute's text rounds. */
export function whatIs(until) {
  return until === null
    ? { choice: NEVER, moment: "", kept: null }
    : { choice: MOMENT, moment: localText(until), kept: until };
}

/** The selected instant, or null for no end. Throws an `Error` with a text for people when it is not an instant to come. */
export function untilOf({ choice, moment, kept = null }) {
  if (choice === NEVER) return null;
  // what was not changed is as it was, to the second
  if (choice === MOMENT && kept !== null && kept > now() && moment === localText(kept)) return kept;
  if (choice !== MOMENT) return Math.round(now()) + Number(choice);
  const at = new Date(moment).getTime() / 1000;
  if (!Number.isFinite(at)) throw new Error("Until when? Give a day and a time.");
  if (at <= now())
    throw new Error(`${momentText(at, now())} is past: it is ${momentText(now(), now())} now.`);
  return at;
}

/** An instant as the value of an input of the type datetime-local. */
function localText(at) {
  const moment = new Date(at * 1000);
  return new Date((at - moment.getTimezoneOffset() * 60) * 1000).toISOString().slice(0, 16);
}
