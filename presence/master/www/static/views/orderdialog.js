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
  const [sending, setSending] = useState(false);
  const [problems, setProblems] = useState([]);
  const closed = useRef(false);
  const reasonId = useId();
  useEffect(() => () => (closed.current = true), []);

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
    setSending(true);
    try {
      await orderAll(action, meant, params);
    } catch (problem) {
      if (!closed.current) {
        setSending(false);
        setProblems([meant.length > 1 ? problem.message : `${meant[0].name}: ${problem.message}`]);
      }
      return;
    }
    onDone(`${count(meant.length, "worker")} ${meant.length === 1 ? "is" : "are"} ${done}`);
    if (!closed.current) onClose();
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
      sending && h("span", { role: "status" }, "…"),
      h(
        "button",
        { type: "button", className: "btn btn-outline-secondary", onClick: onClose },
        sending ? "Close" : "Cancel",
      ),
      h(
        "button",
        { type: "submit", className: "btn btn-primary", disabled: sending || !meant.length },
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
