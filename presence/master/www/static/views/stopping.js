// A master that stops when nothing runs: said above everything else, by whom, until when, and how to cancel it.

import { createContext, h, useState } from "../react.js";
import { useNow } from "../farm/clock.js";
import { orderShutdown } from "../farm/rest.js";
import { said } from "../farm/said.js";
import { STOPPING } from "../farm/subjects.js";
import { isStopping, stopDeadline } from "../farm/kinds.js";
import { leftText } from "../farm/builds.js";
import { Problems, problemOf } from "./problems.js";
import { isolated } from "../holds.js";
import { count, momentText, some } from "../farm/words.js";

// How many of the builds that are waited for are named.
const NAMED = 8;

/** Whether the master stops: then no worker is available, whatever it says itself. */
export const Stopping = createContext(false);

/** `entity` is that of the API, or null; `workers` are those that are known, or null; `builds` those that run, by worker. */
export function StopPart({ entity, workers, builds }) {
  const [problem, setProblem] = useState(null);
  const now = useNow();
  if (!isStopping(entity)) return null;
  const cancel = async () => {
    setProblem(null);
    try {
      await orderShutdown("cancel", {});
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  const running = (workers ?? []).reduce((sum, worker) => sum + worker.running, 0);
  const names = [...builds.values()].flat().map((each) => buildText(each, now));
  return h(
    "section",
    { "aria-label": "Stop of the master", className: "alert alert-warning presence-stopping", role: "status" },
    STOPPING,
    entity.by && [" Ordered by ", said(entity.by, { key: "by" })],
    entity.since !== null && `, since ${momentText(entity.since, now)}`,
    entity.reason && [" (", said(entity.reason, { key: "reason" }), ")"],
    `. ${count(running, "build")} running${names.length ? `: ${some(names, NAMED)}` : ""}.`,
    entity.deadline !== null &&
      ` ${capitalised(stopDeadline(entity.on_deadline, momentText(entity.deadline, now)))}.`,
    " ",
    h("button", { type: "button", className: "btn btn-sm", onClick: cancel }, "Do not stop"),
    h(Problems, { problems: problem === null ? [] : [problem] }),
  );
}

function buildText(build, now) {
  const left = leftText(build, now);
  return `${isolated(build.builder)} #${build.number} on ${isolated(build.worker)}${left && ` (${left})`}`;
}

function capitalised(text) {
  return text[0].toUpperCase() + text.slice(1);
}
