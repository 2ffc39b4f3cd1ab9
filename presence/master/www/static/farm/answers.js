// Answers that are whole. Some versions of Buildbot cut off a long answer now and then, and never end it (its #9065).

// How long an answer may be silent before it begins, each time that it is asked for; and how long in the middle of it. In
// milliseconds.
export const PATIENCES = [10_000, 10_000, 40_000];
export const STALL = 5000;

/** The answer and its text: `{response, text}`. */
export async function once(address, options) {
  const response = await fetch(address, options);
  return { response, text: await response.text() };
}

/** The same of a question, which is asked again when the answer stays silent. */
export async function repeatedly(address, options, patiences = PATIENCES, stall = STALL) {
  for (const [tries, patience] of patiences.entries()) {
    try {
      return await attentively(address, options, patience, stall);
    } catch (problem) {
      // (whoever refuses the connection would refuse it again)
      const cutOff = problem.name === "AbortError" || problem.hasBegun;
      if (!cutOff || tries === patiences.length - 1) throw problem;
    }
  }
  throw new Error("the last time it is thrown");
}

async function attentively(address, options, patience, stall) {
  const ending = new AbortController();
  let timer, response;
  const expect = (time) => {
    clearTimeout(timer);
    timer = setTimeout(() => ending.abort(), time);
  };
  expect(patience);
  try {
    response = await fetch(address, { ...options, signal: ending.signal });
    const decoder = new TextDecoder();
    let text = "";
    for (const reader = response.body.getReader(); ; ) {
      expect(stall);
      const { done, value } = await reader.read();
      if (done) return { response, text: text + decoder.decode() };
      text += decoder.decode(value, { stream: true });
    }
  } catch (problem) {
    throw Object.assign(problem, { hasBegun: response !== undefined });
  } finally {
    clearTimeout(timer);
  }
}
