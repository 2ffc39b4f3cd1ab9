// The page: what is shown and chosen, and the parts of it put together.

import { buildbotGetSettings, h, observer, useCallback, useDeferredValue, useEffect, useMemo, useSearchParams, useState, useSyncExternalStore, useTopbarItems } from "./react.js";
import { Banners } from "./banners.js";
import { BuildersView } from "./buildersview.js";
import { chosen, sorted, STATES } from "./choice.js";
import { useNow } from "./clock.js";
import { Farm } from "./farm.js";
import { OrderDialog } from "./orderdialog.js";
import { followTheme } from "./theme.js";
import { count } from "./words.js";
import { WeekView } from "./weekview.js";
import { WorkersView } from "./workersview.js";

const VIEWS = [
  ["workers", "Workers"],
  ["week", "Week"],
  ["builders", "Builders"],
];

// What is chosen stands in the address, so that one can send it to somebody. These are left out of it.
const DEFAULTS = { view: "workers", text: "", state: "", builder: "", sort: "name" };

export default observer(function PresencePage() {
  const theme = buildbotGetSettings().getChoiceComboSetting("Presence.theme");
  useEffect(() => followTheme(theme), [theme]);
  useTopbarItems(useMemo(() => [{ caption: "Presence", route: "/presence" }], []));
  const farm = useMemo(() => new Farm(), []);
  useEffect(() => {
    farm.start();
    return () => farm.stop();
  }, [farm]);
  const state = useSyncExternalStore(farm.subscribe, farm.snapshot);
  return h(
    "main",
    { className: "container presence" },
    h(Banners, { state }),
    state.loaded ? h(Loaded, { state }) : !state.problem && h("p", null, "Loading…"),
  );
});

function Loaded({ state: { workers, builders } }) {
  const [choice, choose] = useChoice();
  const [selected, setSelected] = useState(() => new Set());
  const [dialog, setDialog] = useState(null);
  const [said, say] = useState("");
  const now = useNow();
  // typing goes before the table
  const text = useDeferredValue(choice.text);
  const builder = useDeferredValue(choice.builder);
  const kept = useMemo(() => chosen(workers, builders, { text, state: choice.state, builder }), [workers, builders, text, choice.state, builder]);
  const shown = useMemo(() => sorted(kept, choice.sort, now), [kept, choice.sort, choice.sort.endsWith("next") && now]);
  const onSelect = useCallback((ids, whether) => {
    setSelected((before) => {
      const after = new Set(before);
      ids.forEach((id) => (whether ? after.add(id) : after.delete(id)));
      return after;
    });
  }, []);
  const onOrder = useCallback((action, meant) => setDialog({ action, workers: meant }), []);
  const which = `${text}\n${choice.state}\n${builder}`;
  const { view } = choice;

  return [
    h(Tabs, { key: "tabs", view, onView: (next) => choose({ view: next }) }),
    view === "builders"
      ? h(BuildersView, { key: view, builders, now, text: choice.text, onText: (next) => choose({ text: next }) })
      : h(
          "section",
          { key: view, "aria-label": view === "week" ? "Week" : "Workers" },
          h(Tools, { choice, choose, builders, all: workers.length, shown, selected, onOrder }),
          view === "week"
            ? h(WeekView, { workers: shown, now, choice: which })
            : h(WorkersView, { workers: shown, now, sort: choice.sort, onSort: (sort) => choose({ sort }), selected, onSelect, onOrder, choice: which }),
        ),
    h("div", { key: "said", role: "status", "aria-live": "polite", className: said ? "presence-said" : "sr-only" }, said),
    dialog && h(OrderDialog, { key: "dialog", ...dialog, onClose: () => setDialog(null), onDone: say }),
  ];
}

/** What is chosen, and a function to choose. It is in the address, and there only what differs from the defaults. */
function useChoice() {
  const [params, setParams] = useSearchParams();
  const [choice, setChoice] = useState(() => Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, params.get(name) ?? value])));
  const choose = useCallback((change) => setChoice((before) => ({ ...before, ...change })), []);
  useEffect(() => {
    // while somebody types, the address follows at the end
    const timer = setTimeout(() => setParams(Object.entries(choice).filter(([name, value]) => value !== DEFAULTS[name]), { replace: true }), 300);
    return () => clearTimeout(timer);
    // setParams is another one each time
  }, [choice]);
  return [choice, choose];
}

function Tabs({ view, onView }) {
  return h(
    "ul",
    { className: "nav nav-tabs" },
    VIEWS.map(([name, text]) =>
      h("li", { key: name, className: "nav-item" }, h("button", { type: "button", className: `nav-link ${name === view ? "active" : ""}`, "aria-current": name === view ? "page" : undefined, onClick: () => onView(name) }, text)),
    ),
  );
}

/** What is shown, and what may be ordered of the selected ones; of all that are shown, when none is. */
function Tools({ choice, choose, builders, all, shown, selected, onOrder }) {
  const some = shown.filter((worker) => selected.has(worker.workerid));
  const meant = some.length ? some : shown;
  const whom = some.length ? `${some.length} selected` : `all ${count(shown.length, "worker")} shown`;
  const button = (action, text) =>
    h("button", { type: "button", className: "btn btn-sm btn-outline-secondary", disabled: !meant.length, "aria-label": `${text} ${whom}`, onClick: () => onOrder(action, meant) }, text);
  return h(
    "div",
    { className: "presence-tools" },
    h("input", { type: "search", className: "form-control form-control-sm", placeholder: "Name, reason or person", "aria-label": "Search for workers, reasons, people", value: choice.text, onChange: (event) => choose({ text: event.target.value }) }),
    h(
      "select",
      { className: "form-control form-control-sm", "aria-label": "State", value: choice.state, onChange: (event) => choose({ state: event.target.value }) },
      STATES.map(([value, text]) => h("option", { key: value, value }, text)),
    ),
    h("input", { type: "search", list: "presence-builders", className: "form-control form-control-sm", placeholder: "Builder", "aria-label": "Builder", value: choice.builder, onChange: (event) => choose({ builder: event.target.value }) }),
    h("datalist", { id: "presence-builders" }, builders.map((each) => h("option", { key: each.builderid, value: each.name }))),
    h("span", { role: "status", className: "presence-count" }, shown.length === all ? count(all, "worker") : `${shown.length} of ${count(all, "worker")}`, some.length > 0 && `, ${some.length} selected`),
    h("span", { className: "presence-orders", role: "group", "aria-label": `Orders for ${whom}` }, h("span", { className: "presence-by" }, `${whom}: `), button("hold", "Hold…"), button("release", "Release…"), button("work", "Work…")),
  );
}
