// A strip above those of Buildbot's own pages that are about requests, builders and workers: what is said here of them.
// It stands in an element of its own before Buildbot's, and touches nothing of that.

import { Link, createPortal, h, useEffect, useMemo, useState } from "./react.js";
import { learn, useNow } from "./farm/clock.js";
import { Live } from "./farm/live.js";
import { get } from "./farm/rest.js";
import { subjectOf } from "./farm/subjects.js";
import { durationText, momentText } from "./farm/words.js";

// The earliest that something is asked for again, and the latest: estimates change with the time. In milliseconds.
const SOON = 700;
const LATE = 30_000;

/** The strip for one of Buildbot's pages, by the path of it. */
export default function Strip({ pathname }) {
  const place = usePlace();
  const subject = useMemo(() => subjectOf(pathname), [pathname]);
  const answer = useAnswer(subject);
  const now = useNow();
  if (!place || !answer) return null;
  const clocks = { now, moment: (at) => momentText(at, now), duration: durationText };
  const { sign, lines, to } = subject.say(answer, clocks);
  if (!lines.length) return null;
  return createPortal(
    h(
      "aside",
      { className: `presence-strip presence-strip-${sign}`, "aria-label": "Presence", role: "status" },
      h("span", { className: "presence-sign", "aria-hidden": true }),
      h(
        "div",
        { className: "presence-lines" },
        lines.map((line, place) => h("bdi", { key: place }, line)),
      ),
      h(Link, { to }, "Presence"),
    ),
    place,
  );
}

/** An element of our own, before Buildbot's; as dark as the page is. */
function usePlace() {
  const [place, setPlace] = useState(null);
  useEffect(() => {
    const element = document.createElement("div");
    element.className = "presence-place";
    const look = () => (element.dataset.ground = isDark() ? "dark" : "light");
    look();
    const observer = new MutationObserver(look);
    observer.observe(document.documentElement, { attributes: true });
    document.body.prepend(element);
    setPlace(element);
    return () => {
      observer.disconnect();
      element.remove();
    };
  }, []);
  return place;
}

function isDark() {
  const channels = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g)?.map(Number) ?? [];
  const [red, green, blue, alpha = 1] = channels;
  return alpha > 0 && red + green + blue < 384;
}

/** What the API answers about `subject`; null until it is there for the first time, and when it cannot be had. */
function useAnswer(subject) {
  const [answered, setAnswered] = useState({});
  useEffect(() => {
    if (!subject) return undefined;
    let timer, asking, again, stopped, at;
    const ask = async () => {
      clearTimeout(timer);
      asking = true;
      again = false;
      at = Date.now();
      let answer = null;
      try {
        const found = await Promise.all(subject.paths.map(get));
        learn(found[0].clock);
        answer = found.map((each) => each.answer);
      } catch {
        // Buildbot's own page says what is wrong with the master; without presences there is nothing to say
      }
      asking = false;
      if (stopped) return;
      setAnswered({ subject, answer });
      timer = setTimeout(ask, again ? SOON : LATE);
    };
    const soon = () => {
      if (asking) {
        again = true;
      } else {
        clearTimeout(timer);
        timer = setTimeout(ask, Math.max(0, at + SOON - Date.now()));
      }
    };
    ask();
    const live = new Live(subject.events, { event: soon, open: soon, lost: () => {} });
    return () => {
      stopped = true;
      clearTimeout(timer);
      live.stop();
    };
  }, [subject]);
  return answered.subject === subject ? answered.answer : null;
}
