// The state of a worker or builder: a word, with a sign that has a shape and a colour of its own for each kind.

import { h, useContext } from "../react.js";
import { isAvailable } from "../farm/choice.js";
import { KINDS, counted, kindOf, kindText } from "../farm/kinds.js";
import { Stopping } from "./stopping.js";
import { stateText } from "../holds.js";

function Sign({ kind }) {
  return h("span", { className: `presence-sign presence-is-${kind}`, "aria-hidden": true });
}

/** The state of a worker. */
export function WorkerState({ worker }) {
  const kind = kindOf(worker, useContext(Stopping));
  return h("span", { className: "presence-state" }, h(Sign, { kind }), kindText(kind));
}

/** The state of a builder: its workers have holds, and it has none. */
export function BuilderState({ builder }) {
  const stopping = useContext(Stopping);
  const available = isAvailable(builder) && !stopping;
  const kind = available ? "available" : stopping ? "stopping" : "held";
  return h(
    "span",
    { className: "presence-state" },
    h(Sign, { kind }),
    stateText(stopping && isAvailable(builder) ? { state: "stopping" } : builder),
  );
}

/** How many of the workers are of each kind: `state` are those that are chosen, which a press changes. */
export function Chips({ workers, states, onStates }) {
  const counts = counted(workers, useContext(Stopping));
  const shown = KINDS.filter(([kind]) => counts.has(kind) || states.includes(kind));
  return h(
    "div",
    { className: "presence-chips", role: "group", "aria-label": "State" },
    shown.map(([kind, text]) => {
      const chosen = states.includes(kind);
      return h(
        "button",
        {
          key: kind,
          type: "button",
          className: "presence-chip",
          "aria-pressed": chosen,
          onClick: () => onStates(chosen ? states.filter((each) => each !== kind) : [...states, kind]),
        },
        h(Sign, { kind }),
        h("b", null, counts.get(kind) ?? 0),
        ` ${text}`,
      );
    }),
    states.length > 0 &&
      h(
        "button",
        { type: "button", className: "btn btn-link btn-sm", onClick: () => onStates([]) },
        "All states",
      ),
  );
}
