// Light or dark. Buildbot's pages are light; while this one is shown, what is around it is dark, too, if this is.

const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** Show the theme that is set, until the function that is returned is called. */
export function followTheme(setting) {
  const root = document.documentElement;
  const show = () => {
    root.dataset.presenceTheme =
      setting === "dark" || (setting !== "light" && dark.matches) ? "dark" : "light";
  };
  show();
  dark.addEventListener("change", show);
  return () => {
    dark.removeEventListener("change", show);
    delete root.dataset.presenceTheme;
  };
}
