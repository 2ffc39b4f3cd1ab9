// Events over Buildbot's websocket. The connection of Buildbot's own pages is not made again once the master has been
// away; this one is.

const PATIENCE = 10_000; // for any answer, in milliseconds
const PING = 15_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

/**
 * Follows the events under `paths` until `stop()`.
 *
 * `on.event(key, message)` is called with each, the key as a list; `on.open()` once no event can be missed any more, and
 * `on.lost()` when events may be missed again. Both may be called several times.
 */
export class Live {
  constructor(paths, on) {
    this.paths = paths;
    this.on = on;
    this.pause = FIRST_PAUSE;
    this.lastId = 0;
    this.connect();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.drop();
  }

  connect() {
    const url = new URL("ws", location.href.split("#")[0]);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = (this.socket = new WebSocket(url));
    const waiting = new Set();
    this.opened = false;
    const send = (frame) => {
      frame._id = ++this.lastId;
      waiting.add(frame._id);
      socket.send(JSON.stringify(frame));
    };
    this.expect();
    socket.onopen = () => this.paths.forEach((path) => send({ cmd: "startConsuming", path }));
    socket.onclose = () => this.lost();
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.k !== undefined) {
        this.on.event(message.k.split("/"), message.m);
        return;
      }
      waiting.delete(message._id);
      if (waiting.size) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        send({ cmd: "ping" });
        this.expect();
      }, PING);
      if (!this.opened) {
        this.opened = true;
        this.pause = FIRST_PAUSE;
        this.on.open();
      }
    };
  }

  /** Give up a silent connection: the master's machine may have gone without closing it. */
  expect() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lost(), PATIENCE);
  }

  lost() {
    if (this.stopped) return;
    this.opened = false;
    this.drop();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), this.pause * (0.5 + Math.random()));
    this.pause = Math.min(2 * this.pause, LONGEST_PAUSE);
    this.on.lost();
  }

  drop() {
    const socket = this.socket;
    socket.onopen = socket.onclose = socket.onmessage = null;
    socket.close();
  }
}
