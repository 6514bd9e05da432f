// Answers on their way to the server. Each has an id of its own making and is kept, here and in the browser's
// storage, until the server has said by that id that it is stored. The whole list is the component's state, so that
// a message that is lost or overtaken loses nothing: the next one holds it again.

const SEND_AFTER = 25;
const SEND_WITHIN = 150;
const RESEND_AFTER = 2500;

export class Outbox {
  /**
   * @param space  names this project and person in the browser's storage
   * @param send   hands the list to the server
   * @param wake   asks for a run of the whole page, where the server does not answer
   * @param asked  is told of each question that has become an example: the item, the example's id
   * @param changed  is told whenever what is kept has changed
   */
  constructor(space, { send, wake, changed, asked }) {
    this.prefix = `workbench/outbox/${space}/`;
    this.send = send;
    this.wake = wake;
    this.changed = changed;
    this.asked = asked;
    this.items = new Map();
    this.sending = 0;
    this.turn = 0;
    this.soon = null;
    this.unanswered = 0;
    for (const [key, item] of readAll(this.prefix)) this.items.set(key, item);
    this.timer = setInterval(() => this.resend(), 1000);
    this.heard = (event) => this.hear(event);
    addEventListener("storage", this.heard);
  }

  close() {
    clearInterval(this.timer);
    clearTimeout(this.soon);
    removeEventListener("storage", this.heard);
  }

  get waiting() {
    return [...this.items.values()].filter((item) => !item.refused);
  }

  /** Answers on their way: what is kept besides questions. */
  get answers() {
    return this.waiting.filter((item) => item.kind !== "question");
  }

  get refused() {
    return [...this.items.values()].filter((item) => item.refused);
  }

  add(item) {
    const kept = { ...item, client_id: makeClientId() };
    this.items.set(kept.client_id, kept);
    write(this.prefix + kept.client_id, kept);
    // The next example is painted first: handing the list over costs the page a good part of a second's tenth, in
    // which a key would wait. So it goes when the page has nothing else to do, and soon all the same.
    this.soon ??= setTimeout(() => this.whenIdle(() => {
      this.soon = null;
      if (!this.sending || performance.now() - this.sending > RESEND_AFTER) this.flush();
      else this.late = true;
    }), SEND_AFTER);
    this.changed();
    return kept.client_id;
  }

  whenIdle(work) {
    if (globalThis.requestIdleCallback) requestIdleCallback(work, { timeout: SEND_WITHIN });
    else work();
  }

  drop(clientId) {
    if (!this.items.delete(clientId)) return;
    write(this.prefix + clientId, null);
    this.changed();
  }

  flush() {
    const waiting = this.waiting;
    if (!waiting.length) return;
    this.sending = performance.now();
    this.late = false;
    this.turn += 1;
    this.unanswered += 1;
    this.send({ turn: this.turn, items: waiting });
  }

  resend() {
    if (!this.waiting.length || performance.now() - this.sending < RESEND_AFTER) return;
    if (this.unanswered === 0) {
      this.flush();
      return;
    }
    // A server that was started anew does not know this part of the page before it has run the whole of it. The list
    // is the component's state already and goes along; sent in the same moment, it would make this a partial run.
    this.unanswered = 0;
    this.sending = performance.now();
    this.wake();
  }

  /** What the server says of items by their ids. Returns those that it has just refused. */
  acknowledge(receipts) {
    const refused = [];
    let touched = false;
    this.unanswered = 0;
    for (const receipt of receipts) {
      const item = this.items.get(receipt.client_id);
      if (!item) continue;
      if (receipt.stored) {
        this.items.delete(receipt.client_id);
        write(this.prefix + receipt.client_id, null);
        if (receipt.asked) this.asked(item, receipt.asked);
        touched = true;
      } else if (!item.refused) {
        item.refused = { message: receipt.message, newer: receipt.newer };
        write(this.prefix + receipt.client_id, item);
        refused.push(item);
        touched = true;
      }
    }
    if (receipts.length) {
      this.sending = 0;
      if (this.late) this.flush();
    }
    if (touched) this.changed();
    return refused;
  }

  /** Another tab of the same person has answered something, or has had it acknowledged. */
  hear(event) {
    if (!event.key || !event.key.startsWith(this.prefix)) return;
    const clientId = event.key.slice(this.prefix.length);
    const item = event.newValue ? parse(event.newValue) : null;
    if (item) this.items.set(clientId, item);
    else this.items.delete(clientId);
    this.changed(item);
  }
}

/** Unfinished work on examples, kept in the browser until it is submitted. */
export class Drafts {
  constructor(space) {
    this.prefix = `workbench/draft/${space}/`;
  }

  read(exampleId) {
    return parse(storage()?.getItem(this.prefix + exampleId));
  }

  write(exampleId, draft) {
    write(this.prefix + exampleId, draft);
  }
}

export function makeClientId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function storage() {
  try {
    return globalThis.localStorage;
  } catch {
    return null; // a browser that allows none: the list in memory still serves
  }
}

function write(key, value) {
  try {
    if (value === null) storage()?.removeItem(key);
    else storage()?.setItem(key, JSON.stringify(value));
  } catch {
    // Full: the list in memory and the server's copy still serve.
  }
}

function parse(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null;
  }
}

function readAll(prefix) {
  const box = storage();
  const found = [];
  for (let index = 0; box && index < box.length; index += 1) {
    const key = box.key(index);
    const item = key.startsWith(prefix) ? parse(box.getItem(key)) : null;
    if (item) found.push([key.slice(prefix.length), item]);
  }
  return found.sort(([, one], [, other]) => (one.at ?? 0) - (other.at ?? 0));
}
