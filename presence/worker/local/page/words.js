// Times, holds and builds in words. All instants are seconds since the epoch. What is a list is a sentence: strings, and
// `{said}` for a text from people.

import { DOES, holdParts, openText, returningText, sensorText } from "./holds.js";

const HOUR = 3600;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const weekday = new Intl.DateTimeFormat("en", { weekday: "short" });
const date = new Intl.DateTimeFormat("en", { day: "numeric", month: "short" });

export const toDate = (instant) => new Date(instant * 1000);

// The midnight `days` days after the one with which the day of `instant` began.
export function midnight(instant, days = 0) {
  const day = toDate(instant);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days).getTime() / 1000;
}

// As short as it is clear: "18:00", "tomorrow 08:00", "Fri 19:00", "24 Dec 12:00".
export function moment(instant, now) {
  const time = clock.format(toDate(instant));
  if (instant >= midnight(now, -1) && instant < midnight(now)) return `yesterday ${time}`;
  if (instant >= midnight(now) && instant < midnight(now, 1)) return time;
  if (instant >= midnight(now, 1) && instant < midnight(now, 2)) return `tomorrow ${time}`;
  if (instant >= midnight(now, 2) && instant < midnight(now, 7)) return `${day(instant)} ${time}`;
  return `${date.format(toDate(instant))} ${time}`;
}

export const day = (instant) => weekday.format(toDate(instant));

export function duration(seconds) {
  const minutes = Math.max(0, Math.round(seconds / 60));
  if (minutes < 1) return "less than a minute";
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest ? `${Math.floor(minutes / 60)} h ${rest} min` : `${minutes / 60} h`;
}

// At what hour of which day the choices end that name a day: 0 is today.
const DAYS = { today: [0, 18], tomorrow: [1, 8] };

// When what a button or a choice says is over: "1h", "today" (18:00), "tomorrow" (8:00), or "open" (null).
export function end(choice, now) {
  if (choice in DAYS) {
    const [days, hour] = DAYS[choice];
    const day = toDate(midnight(now, days));
    day.setHours(hour);
    return day.getTime() / 1000;
  }
  return /^\d+h$/.test(choice) ? now + parseInt(choice, 10) * HOUR : null;
}

// Until when the worker is away is said once, on top: of a single hold that ends then it is not said again.
export function hold(each, now, { holds, back_at: back }) {
  const until = each.until === null ? openText(each) : moment(each.until, now);
  const once = holds.length === 1 && each.until === back;
  return holdParts(each, { owner: true, since: moment(each.since, now), until: once ? "" : until });
}

export function sensor(each, now) {
  const until = each.quiet_until === null ? "" : moment(each.quiet_until, now);
  return [{ said: each.name }, `: ${sensorText(each, until)}, `, { said: each.text }];
}

// What becomes of what runs, as the owner is there; nothing where nothing is done.
export function returning(each, now) {
  if (!each) return "";
  const said = returningText(each, each.until === null ? "" : moment(each.until, now));
  return `${said[0].toUpperCase()}${said.slice(1)}.`;
}

export function breakText(each, now) {
  const stop = each.stop === null ? "no end in sight" : moment(each.stop, now);
  const times = `${moment(each.start, now)} – ${stop}`;
  return each.reason ? [times, ", ", { said: each.reason }] : [times];
}

export function build(each, now) {
  const builder = { said: each.builder };
  return each.since === null ? [builder] : [builder, `, for ${duration(now - each.since)}`];
}

export function master(status) {
  const { connected, knows_presence, why, view } = status.master;
  const said = why ? `${why[0].toUpperCase()}${why.slice(1)}.` : "";
  const kept = status.told || status.stopping ? "" : " What you said is kept here, and told as soon as it can be.";
  if (!connected || !knows_presence || !view) return said + kept;
  const running = view.running === 1 ? "1 build runs" : `${view.running || "no"} builds run`;
  const agrees = view.state === status.state;
  return `${agrees ? "The master agrees" : `It sees: ${DOES[view.state]}`}, ${running}. ${said}${kept}`;
}
