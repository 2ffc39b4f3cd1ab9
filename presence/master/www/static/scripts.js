// Buildbot loads this file, as a classic script, with every one of its pages. So it only announces that there is a
// page; the page is in the ES modules beside it, which are loaded when somebody opens it.
(() => {
  const { createElement: h, lazy, Suspense } = window.React;
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

  const icon = h(
    "svg",
    { width: "1em", height: "1em", viewBox: "0 0 16 16", fill: "currentColor", "aria-hidden": true },
    h("path", {
      d: "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0Zm0 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2Zm-1 2v5l4 2.4.9-1.6L9 8.2V4Z",
    }),
  );

  window.BuildbotPluginSupport.buildbotSetupPlugin((register) => {
    register.registerMenuGroup({
      name: "presence",
      caption: "Presence",
      icon,
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
