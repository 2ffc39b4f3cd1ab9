// What one may choose to see of each worker beside the columns: what Buildbot knows of it since it has connected, and the zone of its breaks.

import { h, useEffect, useState } from "../react.js";
import { get } from "../farm/rest.js";
import { isolated } from "../holds.js";

/** `[key, text, name in Buildbot's workerinfo]` of each; null where it is ours. */
const DETAILS = [
  ["owner", "Owner", "admin"],
  ["host", "Host", "host"],
  ["version", "Version", "version"],
  ["zone", "Zone", null],
];

/** Those that `choice` names, with commas between. */
export function detailsOf(choice) {
  const names = choice.split(",");
  return DETAILS.filter(([key]) => names.includes(key));
}

/** The switches for them; `onChoice` gets what is chosen then. */
export function Details({ choice, onChoice }) {
  const chosen = detailsOf(choice).map(([key]) => key);
  return h(
    "details",
    { className: "presence-details" },
    h("summary", null, "Details"),
    h(
      "div",
      { role: "group", "aria-label": "Details" },
      DETAILS.map(([key, text]) =>
        h(
          "label",
          { key },
          h("input", {
            type: "checkbox",
            checked: chosen.includes(key),
            onChange: ({ target }) =>
              onChoice((target.checked ? [...chosen, key] : chosen.filter((each) => each !== key)).join(",")),
          }),
          ` ${text}`,
        ),
      ),
    ),
  );
}

const NOTHING = new Map();

/** What Buildbot knows of each worker, by its id; it is asked where any of the `details` is from there. */
export function useInfos(details, workers) {
  const [infos, setInfos] = useState(NOTHING);
  const wanted = details.some(([, , name]) => name !== null);
  // one that connects may be another machine, or another version
  const connected = wanted ? workers.filter((each) => each.connected).map((each) => each.workerid).join() : "";
  useEffect(() => {
    if (!wanted) return undefined;
    let stopped = false;
    get("workers?field=workerid&field=workerinfo").then(
      ({ answer }) => {
        if (!stopped) setInfos(new Map(answer.workers.map((each) => [each.workerid, each.workerinfo])));
      },
      // of a master that does not answer the banner says so
      () => {},
    );
    return () => (stopped = true);
  }, [wanted, connected]);
  return infos;
}

/** What there is to say of one worker, of which Buildbot knows `info`: nothing of one that was never connected, or has no breaks. */
export function infoTexts(details, worker, info) {
  // (a master that is older than the page tells of no zones)
  const said = (name) => (name === null ? (worker.zones ?? []).join(", ") : String(info?.[name] ?? ""));
  return details
    .map(([, text, name]) => [text, said(name).trim().replaceAll("\n", " ")])
    .filter(([, value]) => value)
    .map(([text, value]) => `${text}: ${isolated(value)}`);
}
