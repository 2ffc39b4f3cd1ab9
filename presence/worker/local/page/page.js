// Shows the status of the worker, and sends it the owner's orders.

import { DOES, atText, shown } from "./holds.js";
import { ClosedError, follow, say } from "./link.js";
import * as words from "./words.js";
import { drawWeek } from "./week.js";

const REDRAW = 20_000; // what shows how long something has lasted

const $ = (id) => document.getElementById(id);

let status = null;
let offset = 0; // of the worker's clock to this one, which are on two machines when a tunnel is used
let busy = false;
let gone = false; // the worker does not answer

const now = () => Date.now() / 1000 + offset;

// A text that is the same is left alone, so that it is not read out again. What is in it may come from elsewhere.
function text(id, content) {
  const place = $(id);
  const safe = shown(content);
  if (place.textContent !== safe) {
    place.textContent = safe;
  }
  place.hidden = !safe;
}

// An element for each of the sentences, in which a text from people is by itself, whatever its direction of writing.
function list(id, sentences, empty) {
  const place = $(id);
  const wanted = sentences.length || !empty ? sentences : [[empty]];
  const lines = wanted.map((parts) => {
    const line = document.createElement("li");
    line.append(...parts.map((part) => (typeof part === "string" ? part : isolated(part.said))));
    return line;
  });
  const same = (line, at) => line.isEqualNode(place.children[at]);
  if (lines.length !== place.children.length || !lines.every(same)) {
    place.replaceChildren(...lines);
  }
}

function isolated(said) {
  return Object.assign(document.createElement("bdi"), { textContent: shown(said) });
}

function draw() {
  const at = now();
  const available = status.state === "AVAILABLE";
  const mine = status.holds.some((each) => each.source === "worker");
  const does = DOES[status.state];
  const headline = does[0].toUpperCase() + does.slice(1);
  document.title = `${shown(status.name)}: ${does}`;
  document.body.dataset.state = available ? "available" : "away";
  text("name", status.name);
  text("headline", headline);
  const back = status.back_at === null ? "until somebody ends it" : `until ${words.moment(status.back_at, at)}`;
  text("until", available ? "" : back);
  list("holds", status.holds.map((each) => words.hold(each, at, status)));
  text("working", status.work_until === null ? "" : `Works in spite of its breaks${status.sensors.length ? " and sensors" : ""}, until ${words.moment(status.work_until, at)}.`);
  text("stopping", status.stopping === null ? "" : `Stops when nothing runs any more${deadline(at)}.`);
  list("running", status.running.map((each) => words.build(each, at)), "Nothing.");
  text("returning", words.returning(status.on_return, at));
  list("breaks", status.breaks.map((each) => words.breakText(each, at)), "None in the coming days.");
  list("sensors", status.sensors.map((each) => words.sensor(each, at)));
  $("sensors-card").hidden = status.sensors.length === 0;
  text("master", words.master(status));
  drawWeek($("week"), status, at);
  $("rest").hidden = status.work_until === null;
  // (in the evening there is no today until 18:00 left)
  document.querySelector("[data-away=today]").hidden = words.end("today", at) <= at;
  for (const button of document.querySelectorAll("#opened button")) {
    button.disabled = busy || gone;
  }
  // an owner may end only what the owner has ordered
  $("back").hidden = !(mine || status.stopping !== null);
}

function deadline(at) {
  const { deadline: instant } = status.stopping;
  return instant === null ? "" : `, and ${atText(words.moment(instant, at))} in any case`;
}

function told(newest) {
  status = newest;
  gone = false;
  offset = newest.now - Date.now() / 1000;
  $("opened").hidden = false;
  $("closed").hidden = true;
  text("link", "");
  draw();
}

function lost() {
  gone = true;
  text(
    "link",
    "The worker does not answer: it has stopped, or is starting again. What you see may be old. When it is there again this page " +
      "goes on by itself; to start it, and to open the page again, run “buildbot-worker start” and “presence open” in its directory.",
  );
  if (status !== null) {
    draw();
  }
  document.body.dataset.state = "unknown";
}

function close() {
  localStorage.removeItem("presence-session");
  delete document.body.dataset.state;
  text("link", "");
  $("opened").hidden = true;
  $("closed").hidden = false;
}

async function order(name, body) {
  if (busy) {
    return;
  }
  busy = true;
  const focused = document.activeElement;
  draw();
  try {
    told(await say(name, body));
    text("problem", "");
  } catch (error) {
    if (error instanceof ClosedError) {
      close();
    } else {
      text("problem", error.message);
    }
  } finally {
    busy = false;
    draw();
    // a button that was disabled has lost the focus (to a field it would not go: a phone would show its keyboard)
    (focused.disabled || focused.hidden ? $("headline") : focused).focus();
  }
}

for (const button of document.querySelectorAll("[data-away]")) {
  button.addEventListener("click", () => {
    const reason = $("reason").value.trim();
    const until = words.end(button.dataset.away, now());
    order("away", { ...(reason && { reason }), ...(until && { until }) });
  });
}
$("back").addEventListener("click", () => {
  $("reason").value = "";
  order("back");
});
$("work").addEventListener("click", () => order("work", { until: words.end($("work-for").value, now()) }));
$("rest").addEventListener("click", () => order("work"));
$("stop").addEventListener("click", () => $("stopping-dialog").showModal());
$("stopping-dialog").addEventListener("close", (event) => {
  if (event.target.returnValue === "stop") {
    const instant = words.end($("deadline").value, now());
    order("stop", instant ? { deadline: instant } : {});
  }
  event.target.returnValue = "";
});

setInterval(() => {
  if (status !== null && !gone && !$("opened").hidden) {
    draw();
  }
}, REDRAW);

try {
  await follow(told, lost);
} catch (error) {
  if (!(error instanceof ClosedError)) {
    throw error;
  }
  close();
}
