// Instants, durations and numbers, written for people. All instants are seconds since the epoch.

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

/** An instant as short as it is clear: "18:00", "tomorrow 08:00", "Fri 19:00", "24 Dec 12:00". */
export function momentText(at, now) {
  const moment = new Date(at * 1000);
  const days = daysBetween(new Date(now * 1000), moment);
  const clock = clockText(moment);
  if (days === 0) return clock;
  if (days === 1) return `tomorrow ${clock}`;
  if (days === -1) return `yesterday ${clock}`;
  if (days > 0 && days < 7) return `${DAYS[moment.getDay()]} ${clock}`;
  const year = Math.abs(days) > 300 ? ` ${moment.getFullYear()}` : "";
  return `${moment.getDate()} ${MONTHS[moment.getMonth()]}${year} ${clock}`;
}

/** An instant in full: "Wed 25 Nov 2026 19:00". */
export function fullText(at) {
  const moment = new Date(at * 1000);
  return `${dayText(at)} ${moment.getFullYear()} ${clockText(moment)}`;
}

/** "Wed 25 Nov" */
export function dayText(at) {
  const moment = new Date(at * 1000);
  return `${DAYS[moment.getDay()]} ${moment.getDate()} ${MONTHS[moment.getMonth()]}`;
}

function clockText(moment) {
  const parts = [moment.getHours(), moment.getMinutes()];
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

function daysBetween(from, to) {
  const midnight = (moment) => Date.UTC(moment.getFullYear(), moment.getMonth(), moment.getDate()) / 1000;
  return Math.round((midnight(to) - midnight(from)) / DAY);
}

/** Seconds as exact as people want them: "2 h 5 min", "1 d 6 h", "40 s". */
export function durationText(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 10 * MINUTE) return two(whole, MINUTE, "min", 1, "s");
  if (whole < DAY) return two(Math.round(whole / MINUTE) * MINUTE, HOUR, "h", MINUTE, "min");
  if (whole < 7 * DAY) return two(Math.round(whole / HOUR) * HOUR, DAY, "d", HOUR, "h");
  return `${Math.round(whole / DAY)} d`;
}

function two(whole, large, largeName, small, smallName) {
  const many = Math.floor(whole / large);
  const few = Math.floor((whole % large) / small);
  const parts = many ? [`${many} ${largeName}`] : [];
  if (few || !many) parts.push(`${few} ${smallName}`);
  return parts.join(" ");
}

/** "in 2 h 5 min", or "now" for what is due. */
export function inText(at, now) {
  return at <= now ? "now" : `in ${durationText(at - now)}`;
}

/** "1 worker", "3 workers" */
export function count(number, what) {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

/** "a, b, c and 7 more" */
export function some(names, most = 5) {
  const more = names.length - most;
  return more > 0 ? `${names.slice(0, most).join(", ")} and ${more} more` : names.join(", ");
}
