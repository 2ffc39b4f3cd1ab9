// The dialog for orders: it holds workers, drains them, releases them, or lets them work in spite of their breaks; and holds a builder.

import { h, useEffect, useId, useLayoutEffect, useRef, useState } from "../react.js";
import { ACTIONS, groupOf, orderAll } from "../farm/orders.js";
import { Problems, problemOf } from "./problems.js";
import { UntilField, untilOf, whatIs } from "./until.js";
import { orderedHold } from "../farm/choice.js";
import { DRAIN_ENDS } from "../farm/kinds.js";
import { isolated } from "../holds.js";
import { said } from "../farm/said.js";
import { count, some } from "../farm/words.js";

const MAX_REASON = 512;

const TWO_HOURS = { choice: "7200", moment: "" };

/**
 * About `entities`: workers, or one builder. `onClose()` when it is closed; `onDone(text, ids)`, before, with what has been done, and to
 * which workers.
 */
export function OrderDialog({ action, entities, onClose, onDone }) {
  const dialog = useRef(null);
  const title = useId();
  const latest = useRef(onClose);
  latest.current = onClose;
  useLayoutEffect(() => {
    const element = dialog.current;
    // the browser keeps the focus in it, and gives it back to where it was: if it is closed before it is gone
    element.showModal();
    // the first field has the focus, or else the button that orders: Enter is yes, and Escape is no
    const first = element.querySelector("input, select") ?? element.querySelector("[type=submit]:enabled");
    first?.focus();
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
    h(OrderForm, { action, entities, title, onClose, onDone }),
  );
}

function OrderForm({ action, entities, title, onClose, onDone }) {
  const { button, of, others, done, title: what, asks, never, says, replaces, ofBuilder } = ACTIONS[action];
  const noun = ofBuilder ? "builder" : "worker";
  const meant = entities.filter(of);
  const rest = entities.filter((entity) => !of(entity));
  const [order, setOrder] = useState(() => orderOf(action, meant));
  const [sending, setSending] = useState(false);
  const [problems, setProblems] = useState([]);
  const closed = useRef(false);
  const reasonId = useId();
  const thenId = useId();
  useEffect(() => () => (closed.current = true), []);
  const change = (more) => setOrder((before) => ({ ...before, ...more }));

  const submit = async (event) => {
    event.preventDefault();
    if (sending || !meant.length) return;
    let params;
    try {
      params = paramsOf(action, order, meant);
    } catch (problem) {
      setProblems([problemOf(problem)]);
      return;
    }
    setProblems([]);
    setSending(true);
    let waits;
    try {
      waits = await orderAll(action, meant, params);
    } catch (problem) {
      if (!closed.current) {
        const { text, login } = problemOf(problem);
        setSending(false);
        setProblems([{ text: meant.length > 1 ? text : `${meant[0].name}: ${text}`, login }]);
      }
      return;
    }
    const ids = ofBuilder ? [] : meant.map((worker) => worker.workerid);
    const told = `${count(meant.length, noun)} ${meant.length === 1 ? "is" : "are"} ${done}`;
    onDone(waits ? `${told}: ${waits}` : told, ids);
    if (!closed.current) onClose();
  };
  // (some fields of some browsers keep Enter for themselves)
  const onKeyDown = (event) => {
    if (event.key === "Enter" && event.target.tagName !== "BUTTON" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      event.currentTarget.requestSubmit();
    }
  };

  return h(
    "form",
    { onSubmit: submit, onKeyDown },
    h(
      "h2",
      { id: title, className: "h5" },
      `${what}: `,
      meant.length === 1 ? said(meant[0].name) : count(meant.length, noun),
    ),
    meant.length > 1 && h("p", null, namesOf(meant, 8)),
    rest.length > 0 &&
      h("p", { className: "presence-by" }, `Left out: ${namesOf(rest, 3)}. The reason: ${others}.`),
    replaces && h(Replaced, { action, workers: meant }),
    says && meant.length > 0 && h("p", null, says),
    asks.includes("reason") &&
      h(
        "div",
        { className: "form-group" },
        h("label", { htmlFor: reasonId }, "Why"),
        h("input", {
          id: reasonId,
          className: "form-control",
          maxLength: MAX_REASON,
          value: order.reason,
          autoComplete: "off",
          onChange: (event) => change({ reason: event.target.value }),
          placeholder: "for everybody who wonders",
        }),
      ),
    (asks.includes("until") || asks.includes("deadline")) &&
      h(UntilField, {
        label: asks.includes("until") ? "Until" : "What runs may go on",
        never,
        ...order.until,
        onChange: (choice, moment) => change({ until: { ...order.until, choice, moment } }),
      }),
    asks.includes("deadline") &&
      order.until.choice !== "never" &&
      h(
        "div",
        { className: "form-group" },
        h("label", { htmlFor: thenId }, "Then"),
        h(
          "select",
          {
            id: thenId,
            className: "form-control",
            value: order.then,
            onChange: (event) => change({ then: event.target.value }),
          },
          Object.entries(DRAIN_ENDS).map(([value, text]) => h("option", { key: value, value }, text)),
        ),
      ),
    h(Problems, { problems }),
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

/** What of an admin's there is already, and ends with the order: not said where one changes it. */
function Replaced({ action, workers }) {
  const other = (worker) => (action === "drain" ? !worker.drain : Boolean(worker.drain));
  const held = workers.filter(
    (worker) => orderedHold(worker) && (workers.length > 1 || other(worker)),
  );
  if (!held.length) return null;
  return h("p", { className: "presence-by" }, `Replaces the hold or the drain of ${namesOf(held, 5)}.`);
}

function namesOf(workers, most) {
  return some(
    workers.map((worker) => isolated(worker.name)),
    most,
  );
}

/** What the fields say at first: what has been ordered before, where one changes it. */
function orderOf(action, meant) {
  const before = meant.length === 1 ? orderedHold(meant[0]) : undefined;
  const drain = meant.length === 1 ? meant[0].drain : null;
  const reason = (ACTIONS[action].replaces && before?.reason) || "";
  const then = drain?.on_deadline ?? Object.keys(DRAIN_ENDS)[0];
  if (action === "work") return { reason, then, until: TWO_HOURS };
  return { reason, then, until: whatIs((action === "drain" ? drain?.deadline : before?.until) ?? null) };
}

function paramsOf(action, { reason, until, then }, meant) {
  const { asks } = ACTIONS[action];
  const params = {};
  if (asks.includes("reason")) params.reason = reason.trim() || null;
  if (asks.includes("until")) params.until = untilOf(until);
  if (asks.includes("deadline")) {
    params.deadline = untilOf(until);
    params.on_deadline = params.deadline === null ? null : then;
    params.group = groupOf(meant);
  }
  // Buildbot's own would call it "no reason"
  if (action === "pause") params.reason ??= "";
  return params;
}
