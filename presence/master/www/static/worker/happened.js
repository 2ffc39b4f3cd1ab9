// What has happened to a worker, of the master's trail, if it keeps one: the last fifty, the newest first.

import { h, useEffect, useState } from "../react.js";
import { getTrail } from "../farm/rest.js";
import { said } from "../farm/said.js";
import { fullText, momentText } from "../farm/words.js";

/** A section about `worker`; nothing where nothing is told. */
export function Happened({ worker, now }) {
  const [entries, setEntries] = useState([]);
  // what is told of changes with what is shown: an order, a hold, a drain
  const change = JSON.stringify([worker.holds, worker.drain, worker.work_until]);
  useEffect(() => {
    let stopped = false;
    getTrail(worker.workerid).then(
      (found) => {
        if (!stopped) setEntries(found);
      },
      // a master that is older than the page has none; of one that does not answer the banner says so
      () => {},
    );
    return () => (stopped = true);
  }, [worker.workerid, change]);
  if (!entries.length) return null;
  return h(
    "section",
    { className: "presence-happened", "aria-label": "What has happened" },
    h("h3", { className: "h5" }, "What has happened"),
    h(
      "ul",
      { className: "presence-log" },
      entries.map((each) =>
        h(
          "li",
          { key: each.number },
          h("time", { className: "presence-by", dateTime: new Date(each.at * 1000).toISOString() }, fullText(each.at)),
          " ",
          said(each.text),
          each.until && each.kind !== "end" ? `, until ${momentText(each.until, now)}` : "",
        ),
      ),
    ),
  );
}
