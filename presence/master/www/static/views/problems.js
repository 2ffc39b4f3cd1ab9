// What has gone wrong with an order, and the way to log in where that may help.

import { h } from "../react.js";
import { loginAddress } from "../farm/rest.js";
import { said } from "../farm/said.js";

/** `problems` are `{text, login}`: what to say, and whether logging in may help. */
export function Problems({ problems }) {
  if (!problems.length) return null;
  return h(
    "div",
    { role: "alert", className: "alert alert-danger presence-problems" },
    h(
      "ul",
      null,
      problems.map(({ text }) => h("li", { key: text }, said(text))),
    ),
    problems.some(({ login }) => login) && h("a", { href: loginAddress(), className: "alert-link" }, "Log in"),
  );
}

/** The problem of an error. */
export function problemOf(error) {
  return { text: error.message, login: error.asksForLogin ?? false };
}
