// A client for the worker's API. Every request carries the session in a header.

const SILENCE = 60_000; // the worker sends a keep-alive every 20 seconds
const PAUSES = [500, 1000, 2000, 5000];

export class ClosedError extends Error {}

function ask(path, options = {}) {
  const session = localStorage.getItem("presence-session");
  if (!session) {
    throw new ClosedError();
  }
  return fetch(path, {
    ...options,
    cache: "no-store",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${session}` },
  });
}

// Post an order: resolves to the status after it. Throws an Error with the worker's text when it is refused.
export async function say(order, body = {}) {
  let response;
  try {
    response = await ask(`/api/${order}`, { method: "POST", body: JSON.stringify(body) });
  } catch (error) {
    throw error instanceof ClosedError ? error : new Error("The worker does not answer; nothing was said.");
  }
  if (response.status === 401) {
    throw new ClosedError();
  }
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(answer.error);
  }
  return answer;
}

// Follow the status: told(status) is called now and after every change, lost() when the worker does not answer. It ends
// only when the session is not valid any more, with a ClosedError.
export async function follow(told, lost) {
  for (let failures = 0; ; failures += 1) {
    try {
      await read(told, () => {
        failures = 0;
      });
    } catch (error) {
      if (error instanceof ClosedError) {
        throw error;
      }
    }
    lost();
    await new Promise((resume) => {
      setTimeout(resume, PAUSES[Math.min(failures, PAUSES.length - 1)]);
    });
  }
}

async function read(told, alive) {
  const ending = new AbortController();
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => ending.abort(), SILENCE);
  };
  try {
    wait();
    const response = await ask("/api/events", { signal: ending.signal });
    if (response.status === 401) {
      throw new ClosedError();
    }
    if (!response.ok) {
      return;
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        return;
      }
      wait();
      alive();
      const messages = (text + value).split("\n\n");
      text = messages.pop();
      for (const message of messages) {
        if (message.startsWith("data: ")) {
          told(JSON.parse(message.slice("data: ".length)));
        }
      }
    }
  } finally {
    clearTimeout(timer);
  }
}
