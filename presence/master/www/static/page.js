// The page: puts its parts together, and holds what is selected.

import {
  buildbotGetSettings,
  h,
  memo,
  observer,
  useCallback,
  useContext,
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
import { detailsOf, useInfos } from "./views/details.js";
import { choiceText, chosen, groupsOf, inState, sorted } from "./farm/choice.js";
import { useNow } from "./farm/clock.js";
import { showsBuilders, takeFarm } from "./farm/farm.js";
import { OrderDialog } from "./views/orderdialog.js";
import { ReconfigPart } from "./views/reconfig.js";
import { isStopping } from "./farm/kinds.js";
import { StopPart, Stopping } from "./views/stopping.js";
import { followTheme } from "./theme.js";
import { Tools } from "./views/tools.js";
import { WeekView } from "./views/weekview.js";
import { WorkersView } from "./views/workersview.js";
import { WorkerView } from "./worker/workerview.js";

const VIEWS = [
  ["workers", "Workers"],
  ["week", "Week"],
  ["builders", "Builders"],
];

// The view and the filters are in the URL, so that it can be sent to others. Defaults are left out of it.
const DEFAULTS = { view: "workers", text: "", state: "", builder: "", group: "", sort: "name", worker: "", days: "7", ahead: "0", rows: "", details: "" };

const NONE = [];

// How long the outcome of an order is shown, in milliseconds.
const SAID = 8000;

export default observer(function PresencePage() {
  const theme = buildbotGetSettings().getChoiceComboSetting("Presence.theme");
  useEffect(() => followTheme(theme), [theme]);
  useTopbarItems(useMemo(() => [{ caption: "Presence", route: "/presence" }], []));
  const farm = useMemo(takeFarm, []);
  useEffect(() => {
    farm.start();
    return () => farm.stop();
  }, [farm]);
  // where hundreds of rows change at once the browser stays able to do something else meanwhile
  const state = useDeferredValue(useSyncExternalStore(farm.subscribe, farm.snapshot));
  useEffect(() => farm.shown(state), [farm, state]);
  // (a table does not wait for what the other one shows)
  const workers = state.workers ?? (state.builders && showsBuilders(location.hash) ? NONE : null);
  return h(
    "main",
    { className: "container presence" },
    h(Banners, { state }),
    h(StopPart, { entity: state.shutdown, workers: state.workers, builds: state.builds }),
    h(ReconfigPart, { entity: state.reconfig }),
    workers
      ? h(
          Stopping.Provider,
          { value: isStopping(state.shutdown) },
          h(Loaded, { workers, builders: state.builders, builds: state.builds }),
        )
      : !state.problem && h("p", null, "Loading…"),
  );
});

const Loaded = memo(function Loaded({ workers, builders, builds }) {
  const [choice, choose] = useChoice();
  const [selected, setSelected] = useState(() => new Set());
  const [dialog, setDialog] = useState(null);
  const [said, say] = useSaid();
  const now = useNow();
  // typing goes before the table
  const text = useDeferredValue(choice.text);
  const builder = useDeferredValue(choice.builder);
  const stopping = useContext(Stopping);
  const counted = useMemo(
    () => chosen(workers, builders ?? NONE, { text, builder, group: choice.group }),
    [workers, builders, text, builder, choice.group],
  );
  const kept = useMemo(() => inState(counted, choice.state, stopping), [counted, choice.state, stopping]);
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
  const onOrder = useCallback((action, meant) => setDialog({ action, entities: meant }), []);
  const onDone = useCallback((outcome, ids) => {
    say(outcome);
    // what was selected for it is so no longer, or the next order would be about them again
    onSelect(ids, false);
  }, []);
  const which = `${text}\n${choice.state}\n${builder}\n${choice.group}`;
  const groups = useMemo(() => groupsOf(workers), [workers]);
  const { view } = choice;

  return [
    h(Tabs, { key: "tabs", view, onView: (next) => choose({ view: next, worker: "" }) }),
    h(view === "builders" ? TheBuilders : view === "worker" ? OneWorker : TheWorkers, {
      key: view,
      ...{ choice, choose, workers, builders: builders ?? NONE, builds, now },
      ...{ counted, shown, selected, onSelect, onOrder, which, groups },
    }),
    h(
      "div",
      { key: "said", role: "status", "aria-live": "polite", className: said ? "presence-said" : "sr-only" },
      said,
    ),
    dialog && h(OrderDialog, { key: "dialog", ...dialog, onClose: () => setDialog(null), onDone }),
  ];
});

function TheBuilders({ builders, now, choice, choose, onOrder }) {
  if (builders === NONE) return null;
  return h(BuildersView, { builders, now, onOrder, text: choice.text, onText: (text) => choose({ text }) });
}

function OneWorker({ choice, ...rest }) {
  return h(WorkerView, { name: choice.worker, ...rest });
}

/** The workers in a table, or their week. */
function TheWorkers({ choice, choose, workers, builders, builds, now, counted, shown, selected, onSelect, onOrder, which, groups }) {
  const week = choice.view === "week";
  const empty = h(Empty, { choice, choose });
  const details = useMemo(() => detailsOf(choice.details), [choice.details]);
  const infos = useInfos(details, workers);
  return h(
    "section",
    { "aria-label": week ? "Week" : "Workers" },
    h(Tools, { choice, choose, builders, groups, all: workers.length, counted, shown, selected, onSelect, onOrder }),
    week
      ? h(TheWeek, { choice, choose, workers: shown, builders, now, which, empty })
      : h(WorkersView, {
          ...{ workers: shown, builds, now, selected, onSelect, onOrder, empty, details, infos },
          sort: choice.sort,
          onSort: (sort) => choose({ sort }),
          choice: which,
        }),
  );
}

/** The days, of the workers or, with `rows=builders` in the address, of the builders that have one of them. */
function TheWeek({ choice, choose, workers, builders, now, which, empty }) {
  const [days, ahead] = [Number(choice.days) === 28 ? 28 : 7, Math.trunc(Number(choice.ahead)) || 0];
  const ofBuilders = choice.rows === "builders";
  const shown = useMemo(() => {
    const ids = new Set(workers.flatMap((worker) => worker.builders));
    return builders.filter((builder) => ids.has(builder.builderid));
  }, [workers, builders]);
  const button = (rows, text) =>
    h(
      "button",
      {
        type: "button",
        className: "presence-chip",
        "aria-pressed": choice.rows === rows,
        onClick: () => choose({ rows }),
      },
      text,
    );
  return [
    h(
      "div",
      { key: "rows", className: "presence-chips", role: "group", "aria-label": "Rows" },
      button("", "Workers"),
      button("builders", "Builders: who can build when"),
    ),
    h(WeekView, {
      key: "week",
      ...{ workers, now, empty, choice: which, days, ahead },
      onDays: (number, from) => choose({ days: String(number), ahead: String(from) }),
      builders: ofBuilders ? shown : undefined,
    }),
  ];
}

/** Said where nothing is left: of what, and how to see all again. */
function Empty({ choice, choose }) {
  const what = choiceText(choice);
  if (!what) return "There is no worker in master.cfg.";
  return [
    `No worker is ${what}. `.replace("is with", "is there with").replace("is that", "is there that"),
    h(
      "button",
      {
        key: "all",
        type: "button",
        className: "btn btn-link btn-sm",
        onClick: () => choose({ text: "", state: "", builder: "", group: "" }),
      },
      "Show all workers",
    ),
  ];
}

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
