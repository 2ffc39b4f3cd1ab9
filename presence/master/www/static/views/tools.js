// The tools above the workers: filters, and orders for several workers at once.

import { h, memo } from "../react.js";
import { STATES } from "../farm/choice.js";
import { count } from "../farm/words.js";

/** Filters, and orders for the selected workers; for all that are shown when none is selected. */
export function Tools({ choice, choose, builders, all, shown, selected, onOrder }) {
  const some = shown.filter((worker) => selected.has(worker.workerid));
  const meant = some.length ? some : shown;
  const whom = some.length ? `${some.length} selected` : `all ${count(shown.length, "worker")} shown`;
  const button = (action, text) =>
    h(
      "button",
      {
        type: "button",
        className: "btn btn-sm btn-outline-secondary",
        disabled: !meant.length,
        "aria-label": `${text} ${whom}`,
        onClick: () => onOrder(action, meant),
      },
      text,
    );
  return h(
    "div",
    { className: "presence-tools" },
    h("input", {
      type: "search",
      className: "form-control form-control-sm",
      placeholder: "Name, reason or person",
      "aria-label": "Search for workers, reasons, people",
      value: choice.text,
      onChange: (event) => choose({ text: event.target.value }),
    }),
    h(
      "select",
      {
        className: "form-control form-control-sm",
        "aria-label": "State",
        value: choice.state,
        onChange: (event) => choose({ state: event.target.value }),
      },
      STATES.map(([value, text]) => h("option", { key: value, value }, text)),
    ),
    h("input", {
      type: "search",
      list: "presence-builders",
      className: "form-control form-control-sm",
      placeholder: "Builder",
      "aria-label": "Builder",
      value: choice.builder,
      onChange: (event) => choose({ builder: event.target.value }),
    }),
    h(BuilderNames, { builders }),
    h(
      "span",
      { role: "status", className: "presence-count" },
      shown.length === all ? count(all, "worker") : `${shown.length} of ${count(all, "worker")}`,
      some.length > 0 && `, ${some.length} selected`,
    ),
    h(
      "span",
      { className: "presence-orders", role: "group", "aria-label": `Orders for ${whom}` },
      h("span", { className: "presence-by" }, `${whom}: `),
      button("hold", "Hold…"),
      button("release", "Release…"),
      button("work", "Work…"),
    ),
  );
}

/** The suggestions for the field "Builder". There may be thousands, and they hardly ever change. */
const BuilderNames = memo(
  function BuilderNames({ builders }) {
    return h(
      "datalist",
      { id: "presence-builders" },
      builders.map((each) => h("option", { key: each.builderid, value: each.name })),
    );
  },
  (before, after) =>
    before.builders.length === after.builders.length &&
    before.builders.every((each, place) => each.name === after.builders[place].name),
);
