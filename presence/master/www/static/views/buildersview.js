// The table of the builders, and what may be ordered of one itself. On top are those with pending requests that no worker is ready for.

import { h, Link, memo, useMemo } from "../react.js";
import { troublesFirst } from "../farm/choice.js";
import { More, useGrowing } from "./growing.js";
import { orderButton } from "./orderbutton.js";
import { said } from "../farm/said.js";
import { BuilderState } from "./state.js";
import { count, fullText, inText, momentText } from "../farm/words.js";

/** `onOrder(action, builders)` opens the dialog; `onText(text)` is what has been searched for. */
export function BuildersView({ builders, now, text, onText, onOrder }) {
  const shown = useMemo(() => {
    const lower = text.trim().toLowerCase();
    return troublesFirst(builders.filter((builder) => builder.name.toLowerCase().includes(lower)));
  }, [builders, text]);
  const [rows, grow] = useGrowing(shown.length, text);
  const troubled = builders.filter((builder) => builder.waiting && !builder.ready).length;
  return h(
    "section",
    { "aria-label": "Builders" },
    h(
      "div",
      { className: "presence-tools" },
      h("input", {
        type: "search",
        className: "form-control form-control-sm",
        placeholder: "Search for builders",
        "aria-label": "Search for builders",
        value: text,
        onChange: (event) => onText(event.target.value),
      }),
      h(
        "span",
        { role: "status" },
        troubled
          ? `${count(troubled, "builder")} with pending requests and no ready worker`
          : "no pending request waits for a ready worker",
      ),
    ),
    h(
      "table",
      { className: "table table-sm table-hover presence-builders" },
      h(
        "caption",
        { className: "sr-only" },
        "Builders, how many of their workers are ready, and when work can go on",
      ),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          ["Builder", "State", "Ready", "Pending", "Why none builds", "Goes on"].map((each) =>
            h("th", { key: each, scope: "col" }, each),
          ),
          h(
            "th",
            { scope: "col", className: "presence-actions" },
            h("span", { className: "sr-only" }, "Actions"),
          ),
        ),
      ),
      h(
        "tbody",
        null,
        shown.slice(0, rows).map((builder) =>
          h(BuilderRow, {
            key: builder.builderid,
            builder,
            onOrder,
            back: builder.back_at === null ? null : momentText(builder.back_at, now),
            backIn: builder.back_at === null ? null : inText(builder.back_at, now),
          }),
        ),
        h(More, { shown: rows, total: shown.length, columns: 7, grow }),
      ),
    ),
  );
}

const BuilderRow = memo(function BuilderRow({ builder, onOrder, back, backIn }) {
  const troubled = builder.waiting > 0 && builder.ready === 0;
  return h(
    "tr",
    { "data-builder": builder.name, className: troubled ? "presence-troubled" : undefined },
    h("th", { scope: "row" }, h(Link, { to: `/builders/${builder.builderid}` }, said(builder.name))),
    h("td", null, h(BuilderState, { builder })),
    h("td", { "data-label": "Ready" }, `${builder.ready} of ${builder.total}`),
    h("td", { "data-label": "Pending" }, builder.waiting || null),
    h("td", { className: "presence-reason" }, builder.reason && said(builder.reason)),
    h(
      "td",
      { "data-label": "Goes on" },
      back !== null &&
        h(
          "span",
          { title: fullText(builder.back_at) },
          back,
          h("small", { className: "presence-line" }, backIn),
        ),
      back === null && builder.ready === 0 && h("span", { className: "presence-by" }, "not known"),
    ),
    h("td", { className: "presence-actions" }, actions(builder, onOrder)),
  );
});

function actions(builder, onOrder) {
  const button = (...how) => orderButton(builder, onOrder, ...how);
  if (!builder.hold) return button("holdBuilder", "Hold…", "Hold the builder");
  return [
    button("releaseBuilder", "Release", "Release the builder"),
    button("holdBuilder", "Change…", "Change the hold of the builder"),
  ];
}
