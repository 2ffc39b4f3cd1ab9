// A master that stops when nothing runs: said above everything else, by whom, until when, and how to cancel it.

import { createContext, h, useState } from "../react.js";
import { useNow } from "../farm/clock.js";
import { orderShutdown } from "../farm/rest.js";
import { said } from "../farm/said.js";
import { STOPPING } from "../farm/subjects.js";
import { count, momentText } from "../farm/words.js";

const AT_DEADLINE = {
  abort: "it goes on as before",
  interrupt: "what still runs is interrupted, and built again when it is started",
};

/** Whether the master stops: then no worker is available, whatever it says itself. */
export const Stopping = createContext(false);

/** `entity` is that of the API, or null; `workers` are those that are known, or null. */
export function StopPart({ entity, workers }) {
  const [problem, setProblem] = useState(null);
  const now = useNow();
  if (!isStopping(entity)) return null;
  const cancel = async () => {
    setProblem(null);
    try {
      await orderShutdown("cancel", {});
    } catch (error) {
      setProblem(error.message);
    }
  };
  const running = (workers ?? []).reduce((sum, worker) => sum + worker.running, 0);
  return h(
    "section",
    { "aria-label": "Stop of the master", className: "alert alert-warning presence-stopping", role: "status" },
    STOPPING,
    entity.by && [" Ordered by ", said(entity.by, { key: "by" })],
    entity.since !== null && `, since ${momentText(entity.since, now)}`,
    entity.reason && [" (", said(entity.reason, { key: "reason" }), ")"],
    `. ${count(running, "build")} running.`,
    entity.deadline !== null &&
      ` If something still runs at ${momentText(entity.deadline, now)}: ${AT_DEADLINE[entity.on_deadline]}.`,
    " ",
    h("button", { type: "button", className: "btn btn-sm", onClick: cancel }, "Do not stop"),
    problem !== null && h("div", { role: "alert" }, said(problem)),
  );
}

export function isStopping(entity) {
  return entity?.state === "stopping";
}
