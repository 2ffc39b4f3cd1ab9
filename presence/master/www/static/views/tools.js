// The tools above the workers: filters, and orders for several workers at once. They stay in sight.

import { h, memo, useEffect, useRef } from "../react.js";
import { countText, statesOf } from "../farm/choice.js";
import { ACTIONS, isPaused } from "../farm/orders.js";
import { Chips } from "./state.js";
import { Details } from "./details.js";
import { isolated } from "../holds.js";
import { count } from "../farm/words.js";

/** By action: whether there is a button for it, given all workers that are shown. */
const BUTTONS = [
  ["hold", () => true],
  ["drain", () => true],
  ["release", () => true],
  ["work", () => true],
  ["pause", (shown) => shown.some((worker) => !worker.holdable)],
  ["unpause", (shown) => shown.some(isPaused)],
];

const SHORT = { work: "Work" };

/**
 * Filters, and orders for the selected workers: nothing is ordered of those that are not. `counted` are those that the
 * chips count, `shown` those that are left; `groups` are the names of all groups.
 */
export function Tools({ choice, choose, builders, groups, all, counted, shown, selected, onSelect, onOrder }) {
  const meant = shown.filter((worker) => selected.has(worker.workerid));
  const whom = `${meant.length} selected`;
  const place = useHeight();
  const select = (whether) =>
    onSelect(
      shown.map((worker) => worker.workerid),
      whether,
    );
  return h(
    "div",
    { className: "presence-head", ref: place },
    h(Chips, {
      workers: counted,
      states: statesOf(choice.state),
      onStates: (states) => choose({ state: states.join(",") }),
    }),
    h(
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
      (groups.length > 0 || choice.group) && h(GroupChoice, { groups, group: choice.group, choose }),
      h("span", { role: "status", className: "presence-count" }, countText(shown.length, all)),
      choice.view === "workers" && h(Details, { choice: choice.details, onChoice: (details) => choose({ details }) }),
      h(
        "span",
        { className: "presence-orders", role: "group", "aria-label": `Orders for ${whom}` },
        meant.length
          ? h(
              "span",
              null,
              h("b", null, whom),
              h(
                "button",
                { type: "button", className: "btn btn-link btn-sm", onClick: () => select(false) },
                "None",
              ),
            )
          : h(
              "button",
              {
                type: "button",
                className: "btn btn-link btn-sm",
                disabled: !shown.length,
                onClick: () => select(true),
              },
              shown.length === 1 ? "Select it" : `Select all ${count(shown.length, "worker")}`,
            ),
        BUTTONS.filter(([, there]) => there(shown)).map(([action]) => {
          const text = `${SHORT[action] ?? ACTIONS[action].title}…`;
          return h(
            "button",
            {
              key: action,
              type: "button",
              className: "btn btn-sm btn-outline-secondary",
              disabled: !meant.length,
              "aria-label": `${text} ${whom}`,
              title: meant.length ? undefined : "Select workers first",
              onClick: () => onOrder(action, meant),
            },
            text,
          );
        }),
      ),
    ),
  );
}

/** One group, or all workers; also the one of the address that is no group any more. */
function GroupChoice({ groups, group, choose }) {
  const names = group && !groups.includes(group) ? [...groups, group] : groups;
  return h(
    "select",
    {
      className: "form-control form-control-sm presence-group",
      "aria-label": "Group",
      value: group,
      onChange: (event) => choose({ group: event.target.value }),
    },
    h("option", { value: "" }, "All groups"),
    names.map((each) => h("option", { key: each, value: each }, isolated(each))),
  );
}

/** A ref for what stays on top: how high it is tells what stays below it where to do so. */
function useHeight() {
  const place = useRef(null);
  useEffect(() => {
    const element = place.current;
    const tell = () =>
      element.parentElement?.style.setProperty("--presence-head", `${element.offsetHeight}px`);
    const observer = new ResizeObserver(tell);
    observer.observe(element);
    tell();
    return () => observer.disconnect();
  }, []);
  return place;
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
