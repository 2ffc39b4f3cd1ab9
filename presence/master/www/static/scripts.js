// Buildbot loads this file, as a classic script, with every one of its pages. So it only announces that there is a
// page, and a strip above some of Buildbot's own; both are in the ES modules beside it, which are loaded when they are shown.
(() => {
  const { createElement: h, lazy, Suspense } = window.React;
  const { useLocation } = window.ReactRouterDOM;
  const here = document.currentScript.src;

  const Page = lazy(() =>
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
    }),
  );

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
