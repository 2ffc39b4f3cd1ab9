// The table of the builders. On top are those with pending requests that no worker is ready for.

import { h, Link, memo, useMemo } from "../react.js";
import { troublesFirst } from "../farm/choice.js";
import { More, useGrowing } from "./growing.js";
import { said } from "../farm/said.js";
import { BuilderState } from "./state.js";
import { count, fullText, inText, momentText } from "../farm/words.js";

export function BuildersView({ builders, now, text, onText }) {
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
        ),
      ),
      h(
        "tbody",
        null,
        shown.slice(0, rows).map((builder) =>
          h(BuilderRow, {
            key: builder.builderid,
            builder,
            back: builder.back_at === null ? null : momentText(builder.back_at, now),
            backIn: builder.back_at === null ? null : inText(builder.back_at, now),
          }),
        ),
        h(More, { shown: rows, total: shown.length, columns: 6, grow }),
      ),
    ),
  );
}

const BuilderRow = memo(function BuilderRow({ builder, back, backIn }) {
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
  );
});
