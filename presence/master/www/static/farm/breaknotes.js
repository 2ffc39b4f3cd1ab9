// What breaks do beside the hold, as texts: builds that do not start, and builds that are interrupted.

import words from "../wordlist.js";
import { atText, isolated } from "../holds.js";
import { fullText, momentText } from "./words.js";

/** What there is to say of a worker now, a text each. (A master that is older than the page does not tell it.) */
export function notesOf(worker, now) {
  const until = (at, word) => (at === null ? "" : `, ${word} ${momentText(at, now)}`);
  const notes = (worker.limits ?? []).map(
    (each) => words.partial.replace("{limit}", () => isolated(each.limit)) + until(each.until, "until"),
  );
  for (const each of worker.refused ?? []) {
    const by = each.finish_by === null ? "" : ` ${atText(momentText(each.finish_by, now))}`;
    notes.push(`${isolated(each.builder)}: ${isolated(each.reason)}${by}${until(each.until, "waits until")}`);
  }
  if (worker.running > 0 && worker.interrupts_at > now)
    notes.push(words.interrupts.replace("{at}", atText(momentText(worker.interrupts_at, now))));
  return notes;
}

/** What is said of a break beside its times, of whatever day. */
export function sparedTexts({ finish_before: finishBefore, interrupts_at: interruptsAt }) {
  const texts = finishBefore ? [words.finishBefore] : [];
  return interruptsAt ? [...texts, interruptsText(interruptsAt)] : texts;
}

/** "what runs is interrupted on Wed 25 Nov 2026 07:15" */
export function interruptsText(at) {
  return words.interrupts.replace("{at}", atText(fullText(at)));
}
