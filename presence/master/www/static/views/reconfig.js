// Reconfiguring the master when nothing runs that it would hurt: its progress while it waits, and the button to request it.

import { h, useState } from "../react.js";
import { useNow } from "../farm/clock.js";
import { isolated, shown } from "../holds.js";
import { orderReconfig } from "../farm/rest.js";
import { Problems, problemOf } from "./problems.js";
import { count, durationText, momentText, some } from "../farm/words.js";

const RESULTS = {
  reconfigured: "The master is reconfigured.",
  cancelled: "The reconfig was cancelled; everything goes on as before.",
  deadline: "The deadline of the reconfig came first; everything goes on as before.",
};

/** The reconfiguration (null: nothing to show): its plan, its progress and its outcome. Shown above everything else. */
export function ReconfigPart({ entity }) {
  const [plan, setPlan] = useState(null);
  const [problem, setProblem] = useState(null);
  const [watched, setWatched] = useState(null);
  if (entity === null) return null;
  const order = async (action, params) => {
    setProblem(null);
    try {
      const answer = await orderReconfig(action, params);
      setPlan(action === "plan" || answer.mistakes?.length ? answer : null);
      if (action === "reconfig") setWatched(answer.number);
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  return h(
    "section",
    { "aria-label": "Reconfiguration", className: "presence-reconfig" },
    h(Problems, { problems: problem === null ? [] : [problem] }),
    entity.state === "idle"
      ? h(Idle, { entity, plan, watched, order, close: () => setPlan(null) })
      : h(Waiting, { entity, order }),
  );
}

function Idle({ entity, plan, watched, order, close }) {
  if (plan === null) {
    const end = entity.last?.number === watched ? ended(entity.last) : null;
    return h(
      "div",
      { className: "presence-tools" },
      end !== null && h("span", { role: "status" }, end),
      h(Button, { onClick: () => order("plan", {}) }, "Reconfigure…"),
    );
  }
  if (plan.mistakes.length) {
    return h(
      "div",
      { className: "alert alert-danger", role: "alert" },
      "master.cfg has mistakes, and nothing was changed:",
      h(List, { texts: plan.mistakes.map(shown) }),
      h(Button, { onClick: close }, "Close"),
    );
  }
  return h(
    "div",
    { className: "alert alert-info", role: "status" },
    plan.held.length
      ? "Until it is reconfigured, no new build starts here:"
      : "The new master.cfg would hurt no build: it is loaded at once.",
    h(List, { texts: plan.held.map((each) => `${where(each)}: ${isolated(each.why)}`) }),
    plan.waiting_for.length > 0 && "It waits for:",
    h(Builds, { builds: plan.waiting_for }),
    h(Button, { onClick: () => order("reconfig", {}) }, "Reconfigure when idle"),
    " ",
    h(Button, { onClick: close }, "Close"),
  );
}

function ended({ result, mistakes }) {
  const where = result === "partly" ? " in the middle, and the master may malfunction" : "";
  return RESULTS[result] ?? `The reconfig has failed${where}: ${mistakes.map(shown).join("; ")}`;
}

function Waiting({ entity, order }) {
  const now = useNow();
  const { waiting_for: builds, deadline, held } = entity;
  const until = deadline === null ? "" : `, until ${momentText(deadline, now)} (then ${entity.on_deadline})`;
  const names = entity.all ? "everything" : some(held.map(where));
  const by = entity.by ? `, as ${isolated(entity.by)} has ordered` : "";
  const whom = `it waits for ${count(builds.length, "build")}${until}`;
  return h(
    "div",
    { className: "alert alert-warning", role: "status" },
    entity.state === "reconfiguring"
      ? "The master is being reconfigured."
      : `The master is about to be reconfigured${by}: ${whom}. Held: ${names || "nothing"}.`,
    h(Builds, { builds }),
    entity.state === "waiting" && h(Button, { onClick: () => order("cancel", {}) }, "Cancel the reconfig"),
  );
}

function Builds({ builds }) {
  const now = useNow();
  const texts = builds.map(({ builder, number, worker, since, remaining }) => {
    const name = number === null ? isolated(builder) : `${isolated(builder)} #${number}`;
    const running = since === null ? "" : `, running for ${durationText(now - since)}`;
    const left = remaining === null ? "" : `, about ${durationText(remaining)} to go`;
    return `${name} on ${isolated(worker)}${running}${left}`;
  });
  return h(List, { texts });
}

function List({ texts }) {
  return texts.length > 0 && h("ul", null, texts.map((text, place) => h("li", { key: place }, text)));
}

function Button({ onClick, children }) {
  return h("button", { type: "button", className: "btn btn-sm btn-outline-secondary", onClick }, children);
}

function where({ builder, worker }) {
  if (builder === null) return `worker ${isolated(worker)}`;
  const name = `builder ${isolated(builder)}`;
  return worker === null ? name : `${name} on worker ${isolated(worker)}`;
}
