// Buildbot loads this file, as a classic script, with every one of its pages. So it only announces that there is a
// page, and a strip above some of Buildbot's own; both are in the ES modules beside it, which are loaded when they are shown.
(() => {
  const { createElement: h, lazy, Suspense } = window.React;
  const { useLocation } = window.ReactRouterDOM;
  const here = document.currentScript.src;

  // What page.js imports, and what that does (tests/pages/scripts.test.js); first what is needed to ask the master.
  const MODULES = [
    "farm/farm.js", "farm/live.js", "farm/rest.js", "farm/answers.js", "react.js", "farm/builds.js", "farm/clock.js",
    "farm/words.js", "wordlist.js", "page.js", "views/banners.js", "views/buildersview.js", "farm/choice.js", "holds.js",
    "farm/kinds.js", "views/growing.js", "views/orderbutton.js", "farm/said.js", "views/state.js", "views/stopping.js",
    "farm/subjects.js", "waiting.js", "farm/breaknotes.js", "views/problems.js", "views/details.js", "views/orderdialog.js",
    "farm/orders.js", "views/until.js", "views/reconfig.js", "theme.js", "views/tools.js", "views/weekview.js",
    "farm/weeks.js", "views/workersview.js", "worker/workerview.js", "worker/happened.js",
  ];
  const loadPage = () =>
    import(new URL("page.js", here)).catch((problem) => {
      console.error(problem);
      return {
        default: () =>
          h(
            "p",
            { role: "alert", className: "alert alert-danger m-3" },
            "This page could not be loaded: reload it.",
          ),
      };
    });

  // Where our page is what is opened, all of it is loaded while Buildbot's UI begins, and each of its modules at once: else the browser
  // would hear of one from the other.
  const isOpened = location.hash.startsWith("#/presence");
  if (isOpened) {
    // first of all what asks the master
    import(new URL("farm/farm.js", here)).then(({ begin }) => begin(), console.error);
    for (const name of MODULES)
      document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href: new URL(name, here) }));
  }
  const opened = isOpened && loadPage();
  const Page = lazy(() => opened || loadPage());

  // (where it cannot be loaded Buildbot's page is as it would be without)
  const Strip = lazy(() =>
    import(new URL("strip.js", here)).catch((problem) => {
      console.error(problem);
      return { default: () => null };
    }),
  );
  const HAVE_A_STRIP = /^\/(?:(?:buildrequests|builders|workers)\/\d+|workers|pendingbuildrequests)\/?$/;

  const icon = h(
    "svg",
    {
      key: "icon",
      width: "1em",
      height: "1em",
      viewBox: "0 0 16 16",
      fill: "currentColor",
      "aria-hidden": true,
    },
    h("path", {
      d: "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0Zm0 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Zm-1 2v5l4 2.4.9-1.6L9 8.2V4Z",
    }),
  );

  // The icon of our page is in the menu of every page: so it knows which one is shown.
  function Mark() {
    const { pathname } = useLocation();
    const strip = h(Suspense, { key: "strip", fallback: null }, h(Strip, { pathname }));
    return [icon, HAVE_A_STRIP.test(pathname) && strip];
  }

  window.BuildbotPluginSupport.buildbotSetupPlugin((register) => {
    register.registerMenuGroup({
      name: "presence",
      caption: "Presence",
      icon: h(Mark),
      order: 11,
      route: "/presence",
      parentName: null,
    });
    register.registerRoute({
      route: "presence",
      group: "presence",
      element: () => h(Suspense, { fallback: h("p", { className: "m-3" }, "Loading…") }, h(Page)),
    });
    register.registerSettingGroup({
      name: "Presence",
      caption: "Presence page related settings",
      items: [
        {
          type: "choice_combo",
          name: "theme",
          caption: "Theme",
          choices: ["as the browser", "light", "dark"],
          defaultValue: "as the browser",
        },
      ],
    });
  });
})();
