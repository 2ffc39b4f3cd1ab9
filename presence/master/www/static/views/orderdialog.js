// The dialog that holds workers, releases them, or lets them work in spite of their breaks.

import { h, useEffect, useId, useLayoutEffect, useRef, useState } from "../react.js";
import { ACTIONS, orderAll } from "../farm/orders.js";
import { UntilField, untilOf, whatIs } from "./until.js";
import { heldBy } from "../farm/choice.js";
import { isolated } from "../holds.js";
import { said } from "../farm/said.js";
import { count, some } from "../farm/words.js";

const MAX_REASON = 512;

/** About `workers`. `onClose()` when it is closed; `onDone(text)`, before, with what has been done. */
export function OrderDialog({ action, workers, onClose, onDone }) {
  const dialog = useRef(null);
  const title = useId();
  const latest = useRef(onClose);
  latest.current = onClose;
  useLayoutEffect(() => {
    const element = dialog.current;
    // the browser keeps the focus in it, and gives it back to where it was: if it is closed before it is gone
    element.showModal();
    return () => element.close();
  }, []);
  return h(
    "dialog",
    // a click beside it is one on the dialog itself
    {
      ref: dialog,
      className: "presence-dialog",
      "aria-labelledby": title,
      onCancel: (event) => (event.preventDefault(), latest.current()),
      onMouseDown: (event) => event.target === dialog.current && latest.current(),
    },
    h(OrderForm, { action, workers, title, onClose, onDone }),
  );
}

function OrderForm({ action, workers, title, onClose, onDone }) {
  const { button, of, others, done, title: what } = ACTIONS[action];
  const meant = workers.filter(of);
  const rest = workers.filter((worker) => !of(worker));
  const before = meant.length === 1 ? heldBy(meant[0], "admin") : undefined;
  const [reason, setReason] = useState((action === "hold" && before?.reason) || "");
  const [until, setUntil] = useState(() =>
    action === "work" ? { choice: "7200", moment: "" } : whatIs(before?.until ?? null),
  );
  const [progress, setProgress] = useState(null);
  const [problems, setProblems] = useState([]);
  const stopped = useRef(false);
  const reasonId = useId();
  useEffect(() => () => (stopped.current = true), []);

  const submit = async (event) => {
    event.preventDefault();
    let params;
    try {
      params = paramsOf(action, reason, until);
    } catch (problem) {
      setProblems([problem.message]);
      return;
    }
    setProblems([]);
    setProgress(0);
    const result = await orderAll(action, meant, params, setProgress, () => stopped.current);
    if (result.done) onDone(`${count(result.done, "worker")} ${result.done === 1 ? "is" : "are"} ${done}`);
    if (stopped.current) return;
    if (!result.failed.length) {
      onClose();
      return;
    }
    setProgress(null);
    setProblems(byText(result.failed));
  };

  return h(
    "form",
    { onSubmit: submit },
    h(
      "h2",
      { id: title, className: "h5" },
      `${what}: `,
      meant.length === 1 ? said(meant[0].name) : count(meant.length, "worker"),
    ),
    meant.length > 1 &&
      h(
        "p",
        null,
        some(
          meant.map((worker) => isolated(worker.name)),
          8,
        ),
      ),
    rest.length > 0 &&
      h(
        "p",
        { className: "presence-by" },
        `Left out: ${some(
          rest.map((worker) => isolated(worker.name)),
          3,
        )}. The reason: ${others}.`,
      ),
    action === "hold" &&
      h(
        "div",
        { className: "form-group" },
        h("label", { htmlFor: reasonId }, "Why"),
        h("input", {
          id: reasonId,
          className: "form-control",
          maxLength: MAX_REASON,
          value: reason,
          autoComplete: "off",
          onChange: (event) => setReason(event.target.value),
          placeholder: "for everybody who wonders",
        }),
      ),
    action !== "release" &&
      h(UntilField, {
        label: "Until",
        never: action === "hold" ? "until somebody releases it" : "keep the breaks again, from now on",
        ...until,
        onChange: (choice, moment) => setUntil({ choice, moment }),
      }),
    action === "release" &&
      meant.length > 0 &&
      h(
        "p",
        null,
        "This ends the hold that an admin has placed, and no other: a break goes on, and so does the owner's away.",
      ),
    problems.length > 0 &&
      h(
        "ul",
        { role: "alert", className: "alert alert-danger presence-problems" },
        problems.map((text) => h("li", { key: text }, said(text))),
      ),
    h(
      "div",
      { className: "presence-buttons" },
      progress !== null &&
        h("span", { role: "status" }, meant.length > 1 ? `${progress} of ${meant.length}…` : "…"),
      h(
        "button",
        { type: "button", className: "btn btn-outline-secondary", onClick: onClose },
        progress === null ? "Cancel" : "Stop",
      ),
      h(
        "button",
        { type: "submit", className: "btn btn-primary", disabled: progress !== null || !meant.length },
        button,
      ),
    ),
  );
}

function paramsOf(action, reason, { choice, moment }) {
  if (action === "release") return {};
  const until = untilOf(choice, moment);
  return action === "work" ? { until } : { reason: reason.trim() || null, until };
}

/** A line for each error, with the names of the workers that it is about. */
function byText(failed) {
  const names = new Map();
  for (const { worker, problem } of failed) {
    names.set(problem.message, [...(names.get(problem.message) ?? []), worker.name]);
  }
  return [...names].map(([text, about]) => `${some(about.sort(), 3)}: ${text}`);
}
