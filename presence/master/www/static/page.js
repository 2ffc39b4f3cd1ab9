// The page: puts its parts together, and holds what is selected.

import {
  buildbotGetSettings,
  h,
  memo,
  observer,
  useCallback,
  useDeferredValue,
  useEffect,
  useMemo,
  useRef,
  useSearchParams,
  useState,
  useSyncExternalStore,
  useTopbarItems,
} from "./react.js";
import { Banners } from "./views/banners.js";
import { BuildersView } from "./views/buildersview.js";
import { chosen, sorted } from "./farm/choice.js";
import { useNow } from "./farm/clock.js";
import { Farm } from "./farm/farm.js";
import { OrderDialog } from "./views/orderdialog.js";
import { ReconfigPart } from "./views/reconfig.js";
import { StopPart, Stopping, isStopping } from "./views/stopping.js";
import { followTheme } from "./theme.js";
import { Tools } from "./views/tools.js";
import { WeekView } from "./views/weekview.js";
import { WorkersView } from "./views/workersview.js";

const VIEWS = [
  ["workers", "Workers"],
  ["week", "Week"],
  ["builders", "Builders"],
];

// The view and the filters are in the URL, so that it can be sent to others. Defaults are left out of it.
const DEFAULTS = { view: "workers", text: "", state: "", builder: "", sort: "name" };

const NONE = [];

// How long the outcome of an order is shown, in milliseconds.
const SAID = 8000;

export default observer(function PresencePage() {
  const theme = buildbotGetSettings().getChoiceComboSetting("Presence.theme");
  useEffect(() => followTheme(theme), [theme]);
  useTopbarItems(useMemo(() => [{ caption: "Presence", route: "/presence" }], []));
  const farm = useMemo(() => new Farm(), []);
  useEffect(() => {
    farm.start();
    return () => farm.stop();
  }, [farm]);
  // where hundreds of rows change at once the browser stays able to do something else meanwhile
  const state = useDeferredValue(useSyncExternalStore(farm.subscribe, farm.snapshot));
  return h(
    "main",
    { className: "container presence" },
    h(Banners, { state }),
    h(StopPart, { entity: state.shutdown, workers: state.workers }),
    h(ReconfigPart, { entity: state.reconfig }),
    state.workers
      ? h(
          Stopping.Provider,
          { value: isStopping(state.shutdown) },
          h(Loaded, { workers: state.workers, builders: state.builders }),
        )
      : !state.problem && h("p", null, "Loading…"),
  );
});

const Loaded = memo(function Loaded({ workers, builders }) {
  const [choice, choose] = useChoice();
  const [selected, setSelected] = useState(() => new Set());
  const [dialog, setDialog] = useState(null);
  const [said, say] = useSaid();
  const now = useNow();
  // typing goes before the table
  const text = useDeferredValue(choice.text);
  const builder = useDeferredValue(choice.builder);
  const kept = useMemo(
    () => chosen(workers, builders ?? NONE, { text, state: choice.state, builder }),
    [workers, builders, text, choice.state, builder],
  );
  const shown = useMemo(
    () => sorted(kept, choice.sort, now),
    [kept, choice.sort, choice.sort.endsWith("next") && now],
  );
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
      ? builders &&
        h(BuildersView, {
          key: view,
          builders,
          now,
          text: choice.text,
          onText: (next) => choose({ text: next }),
        })
      : h(
          "section",
          { key: view, "aria-label": view === "week" ? "Week" : "Workers" },
          h(Tools, {
            choice,
            choose,
            builders: builders ?? NONE,
            all: workers.length,
            shown,
            selected,
            onOrder,
          }),
          view === "week"
            ? h(WeekView, { workers: shown, now, choice: which })
            : h(WorkersView, {
                workers: shown,
                now,
                sort: choice.sort,
                onSort: (sort) => choose({ sort }),
                selected,
                onSelect,
                onOrder,
                choice: which,
              }),
        ),
    h(
      "div",
      { key: "said", role: "status", "aria-live": "polite", className: said ? "presence-said" : "sr-only" },
      said,
    ),
    dialog && h(OrderDialog, { key: "dialog", ...dialog, onClose: () => setDialog(null), onDone: say }),
  ];
});

/** What is chosen, and a function to choose: both are about the address. */
function useChoice() {
  const [params, setParams] = useSearchParams();
  const choice = Object.fromEntries(
    Object.entries(DEFAULTS).map(([name, value]) => [name, params.get(name) ?? value]),
  );
  const choose = (change) =>
    setParams(
      Object.entries({ ...choice, ...change }).filter(([name, value]) => value !== DEFAULTS[name]),
      { replace: true },
    );
  return [choice, choose];
}

/** The outcome of an order, shown for some seconds, and a function to show one. */
function useSaid() {
  const [said, setSaid] = useState("");
  const timer = useRef();
  useEffect(() => () => clearTimeout(timer.current), []);
  const say = useCallback((text) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setSaid(""), SAID);
    setSaid(text);
  }, []);
  return [said, say];
}

function Tabs({ view, onView }) {
  return h(
    "ul",
    { className: "nav nav-tabs" },
    VIEWS.map(([name, text]) =>
      h(
        "li",
        { key: name, className: "nav-item" },
        h(
          "button",
          {
            type: "button",
            className: `nav-link ${name === view ? "active" : ""}`,
            "aria-current": name === view ? "page" : undefined,
            onClick: () => onView(name),
          },
          text,
        ),
      ),
    ),
  );
}
