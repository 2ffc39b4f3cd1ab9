// A client for Buildbot's REST API. Every failure is a `RestError` with a text for people.

import { once, repeatedly } from "./answers.js";
import { config } from "../react.js";

export class RestError extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }

  /** Whether somebody who logs in might be allowed to do it. */
  get asksForLogin() {
    return isRefusal(this.status) && !userName() && config.auth?.name !== "NoAuth";
  }
}

/** Where one logs in, and comes back to this page. */
export function loginAddress() {
  return `auth/login?redirect=${encodeURIComponent(location.hash.slice(1) || "/presence")}`;
}

function isRefusal(status) {
  return status === 401 || status === 403;
}

function userName() {
  return config.user?.username ?? config.user?.email;
}

/** The `answer` to a GET of `path`, and `clock`, the time at the master: `{before, after, master}`, in seconds. */
export async function get(path) {
  const before = Date.now() / 1000;
  const { answer, date } = await ask(path);
  return { answer, clock: { before, after: Date.now() / 1000, master: date } };
}

/** The entities of a collection, and `clock`. */
export async function getAll(plural) {
  const { answer, clock } = await get(plural);
  return { entities: answer[plural], clock };
}

/** The workers, of which only the breaks are told, between two instants. */
export async function getBetween(first, last) {
  const fields = ["workerid", "breaks", "partial_breaks"].map((name) => `field=${name}`).join("&");
  const { answer } = await ask(`presences/between/${Math.round(first)}/${Math.round(last)}?${fields}`);
  return answer.presences;
}

/** What has happened to a worker, the newest first; nothing where the master keeps no trail. */
export async function getTrail(workerid) {
  const { answer } = await ask(`presences/${workerid}/trail?limit=50`);
  return answer.trail;
}

/** Post an order for a worker. */
export function order(workerid, action, params) {
  return post(`presences/${workerid}`, action, params);
}

/** Post an order for several workers, by their names. */
export function orderMany(names, action, params) {
  return post("presences", action, { ...params, workers: names });
}

/** Post an order for a builder itself. */
export function orderBuilder(builderid, action, params) {
  return post(`builderpresences/${builderid}`, action, params);
}

/** Post an order of Buildbot's own for a worker: pause or unpause it. */
export function orderTheirs(workerid, action, params) {
  return post(`workers/${workerid}`, action, params);
}

/** The reconfiguration of the master. */
export async function getReconfig() {
  const { answer } = await ask("reconfig");
  return answer.reconfigs[0];
}

/** Whether the master stops, and how. */
export async function getShutdown() {
  const { answer } = await ask("shutdown");
  return answer.shutdowns[0];
}

/** Post an order for the stop of the master. */
export function orderShutdown(action, params) {
  return post("shutdown", action, params);
}

/** Post an order for the reconfiguration. */
export function orderReconfig(action, params) {
  return post("reconfig", action, params);
}

async function post(path, action, params) {
  const body = { jsonrpc: "2.0", id: 1, method: action, params };
  const headers = { "Content-Type": "application/json" };
  const { answer } = await ask(path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return answer.result;
}

async function ask(path, options) {
  let response, text;
  try {
    // (otherwise Buildbot indents what it answers, which takes it several times as long, and is twice as much)
    const headers = { Accept: "application/json" };
    const given = { credentials: "same-origin", cache: "no-store", headers, ...options };
    // an order is given once, whatever comes of it
    const whole = options ? once : repeatedly;
    ({ response, text } = await whole(`api/v2/${path}`, given));
  } catch {
    throw new RestError("the master does not answer", 0);
  }
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new RestError(
      `this is not an answer of Buildbot's (${response.status} ${response.statusText})`,
      response.status,
    );
  }
  if (!response.ok) {
    throw new RestError(said(answer, response), response.status);
  }
  const date = Date.parse(response.headers.get("Date")) / 1000;
  return { answer, date };
}

function said(answer, response) {
  const error = answer?.error;
  const text =
    typeof error === "string" ? error : (error?.message ?? `${response.status} ${response.statusText}`);
  if (!isRefusal(response.status)) {
    return text;
  }
  const name = userName();
  return `${text} (${name ? `you are ${name}` : "you have not logged in"})`;
}
