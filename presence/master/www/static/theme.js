// Light or dark. Buildbot's pages are light up to 4.3; while this one is shown, what is around it is dark, too, if this is.
// Later versions have a theme of their own, whose colours are properties of <html>: then that one is followed.

const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** The theme of Buildbot's own pages, or null where they have none. */
function theirs(root) {
  const ground = /^#(..)(..)(..)$/.exec(root.style.getPropertyValue("--bb-background-color").trim());
  if (ground === null) return null;
  const [red, green, blue] = ground.slice(1).map((each) => parseInt(each, 16));
  return red + green + blue < 384 ? "dark" : "light";
}

/** Show the theme that is set, until the function that is returned is called. */
export function followTheme(setting) {
  const root = document.documentElement;
  const show = () => {
    const given = setting === "dark" || setting === "light" ? setting : theirs(root);
    root.dataset.presenceTheme = given ?? (dark.matches ? "dark" : "light");
  };
  show();
  dark.addEventListener("change", show);
  const observer = new MutationObserver(show);
  observer.observe(root, { attributes: true, attributeFilter: ["style"] });
  return () => {
    dark.removeEventListener("change", show);
    observer.disconnect();
    delete root.dataset.presenceTheme;
  };
}
