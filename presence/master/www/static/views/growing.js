// A long table shows its first rows at once, and more of them as one comes near the end.

import { h, useEffect, useRef, useState } from "../react.js";

// (some more than there is room for: what is painted later is not waited for)
const FIRST = 30;
const STEP = 60;

/** How many of `total` rows to show, and a function that makes it `more`. `key`: whatever begins the table anew. */
export function useGrowing(total, key) {
  const [grown, setGrown] = useState({ key, rows: FIRST });
  const rows = grown.key === key ? grown.rows : FIRST;
  return [Math.min(rows, total), (all) => setGrown({ key, rows: all ? Infinity : rows + STEP })];
}

/** The last row, while there are more: it grows the table when it comes into sight, or when somebody asks for all. */
export function More({ shown, total, columns, grow }) {
  const row = useRef(null);
  const latest = useRef(grow);
  latest.current = grow;
  useEffect(() => {
    if (!row.current) return undefined;
    const observer = new IntersectionObserver(
      (entries) => entries.some((each) => each.isIntersecting) && latest.current(false),
      { rootMargin: "800px" },
    );
    observer.observe(row.current);
    return () => observer.disconnect();
  }, [shown, total]);
  if (shown >= total) return null;
  return h(
    "tr",
    { ref: row },
    h(
      "td",
      { colSpan: columns, className: "text-center" },
      `${shown} of ${total} are shown. `,
      h(
        "button",
        { type: "button", className: "btn btn-link btn-sm", onClick: () => grow(true) },
        "Show all",
      ),
    ),
  );
}
