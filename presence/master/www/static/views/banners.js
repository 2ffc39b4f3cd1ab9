// Banners above everything else, for what concerns the whole farm.

import { h } from "../react.js";

/** `kind` is one of Bootstrap's: info, warning, danger. */
export function Banner({ kind, children }) {
  return h(
    "div",
    { className: `alert alert-${kind}`, role: kind === "danger" ? "alert" : "status" },
    children,
  );
}

/** `state` is the snapshot of a `Farm`. */
export function Banners({ state }) {
  const banners = [];
  if (state.problem?.status === 404) {
    banners.push(
      h(
        Banner,
        { key: "absent", kind: "info" },
        "This master has no presences yet: they come with the first BuildSlave in master.cfg, or with PresenceService.",
      ),
    );
  } else if (state.problem) {
    banners.push(
      h(
        Banner,
        { key: "problem", kind: "danger" },
        `Not up to date: ${state.problem.message}. Trying again.`,
      ),
    );
  } else if (state.workers && state.builders && !state.live) {
    banners.push(
      h(
        Banner,
        { key: "lost", kind: "warning" },
        "Not up to date: the connection to the master is lost. Trying again.",
      ),
    );
  }
  return banners;
}
