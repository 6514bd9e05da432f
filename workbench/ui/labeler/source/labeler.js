// The page's conductor: what the server says comes in by `update`, what the person does by keys and pointer; every
// change ends in `paint`.

import { Around } from "./around.js";
import { Cursor } from "./cursor.js";
import { Decisions } from "./decisions.js";
import { Deck } from "./deck.js";
import { fill, say } from "./dom.js";
import { Editor } from "./editor.js";
import { drawPalette, drawPartial, drawStatus, drawTitles } from "./frame.js";
import { cutWords, doubtsOf, readPayload } from "./items.js";
import { Keyboard } from "./keyboard.js";
import { Drafts, Outbox } from "./outbox.js";
import { Panels } from "./panels.js";
import { Picker } from "./picker.js";
import { Pointer } from "./pointer.js";
import { Sheets } from "./sheets.js";
import { buildView, paintView } from "./stage.js";

const PATIENCE = 3000;
const BUTTONS = [
  ...["back", "skip", "flag", "accept", "confirmAll", "find", "heat", "guidelines", "help"],
  ...["reword", "ask", "moreBefore", "moreAfter", "fewer", "partial"],
];

export class Labeler {
  constructor(shadow, data, channel) {
    this.shadow = shadow;
    this.channel = channel;
    this.root = shadow.querySelector(".labeler");
    this.refs = {};
    for (const element of this.root.querySelectorAll("[data-ref]")) this.refs[element.dataset.ref] = element;
    this.task = data.project.task;
    this.deck = new Deck(this.task, new Drafts(data.space));
    this.outbox = new Outbox(data.space, {
      send: (list) => this.channel.setStateValue("outbox", list),
      wake: () => this.channel.wake(),
      changed: (item) => this.outboxChanged(item),
      // The message that brought the news is dealt with first.
      asked: (item, id) => setTimeout(() => this.decisions.asked(item, id), 0),
    });
    this.session = { answers: 0, seconds: 0, ahead: 0 };
    this.asked = 0;
    this.loaded = null; // the entry whose elements are on the screen
    this.sheets = new Sheets(this.refs.sheet, this.refs.drawer, () => this.focus());
    const speak = (words) => say(this.refs.live, words);
    this.picker = new Picker(this.refs.picker, (name) => this.editor.pickLabel(name), speak);
    this.cursor = new Cursor(this);
    this.editor = new Editor(this);
    this.decisions = new Decisions(this);
    this.panels = new Panels(this);
    this.keyboard = new Keyboard(this);
    this.pointer = new Pointer(this);
    this.around = new Around(this, data.space);
    this.wire();
    this.update(data);
    this.around.start();
    this.focus();
  }

  close() {
    this.outbox.close();
    this.closed = true;
    document.removeEventListener("keydown", this.catchKey, true);
    document.removeEventListener("visibilitychange", this.watch);
  }

  // --- from the server -------------------------------------------------------------------------------------

  update(data) {
    const first = !this.data;
    this.data = data;
    this.colors = new Map(data.labels.map((label) => [label.name, label.color]));
    this.colors.set("answer", data.answerColor);
    this.taken = new Set(data.labels.map((label) => label.key).filter(Boolean));
    const answered = [...this.outbox.items.values()].filter((item) => item.kind !== "question");
    this.deck.extend(data.queue, new Set(answered.map((item) => item.example_id)));
    const refused = this.outbox.acknowledge(data.receipts);
    for (const item of refused) this.refusedNow(item);
    this.session.ahead = this.outbox.answers.length;
    if (first) {
      for (const one of [...data.recent].reverse()) this.panels.note(one.id, one.status, one.snippet);
      for (const item of this.refusedAnswers()) this.panels.note(item.example_id, "refused", item.snippet);
    }
    this.answered = Math.max(data.opened?.turn ?? 0, data.found?.turn ?? 0);
    if (data.opened && data.opened.turn !== this.openedTurn) {
      this.openedTurn = data.opened.turn;
      if (data.opened.item) {
        this.deck.revisit(data.opened.item);
        this.attachRefusal(this.deck.current);
        this.focus();
      } else this.tell("This example is not in the project any more.");
    }
    this.follow(data.linked);
    this.around.update(data.near);
    if (data.found && data.found.turn === this.asked) this.sheets.showResults(data.found.results);
    this.drawFixed(data);
    this.draw();
    if (first && this.outbox.waiting.length) this.outbox.flush();
  }

  /** The example that the page's address names is opened, once. */
  follow(linked) {
    if (!linked || linked.id === this.linked) return;
    this.linked = linked.id;
    if (linked.item) {
      this.deck.revisit(linked.item);
      this.attachRefusal(this.deck.current);
    } else this.tell("This project has no example with the number in the address.");
  }

  /** Once the person has gone on, a reload is to go on as well. */
  leaveLink() {
    const address = new URL(location.href);
    address.searchParams.delete("example");
    history.replaceState(history.state, "", address);
  }

  refusedAnswers() {
    return this.outbox.refused.filter((item) => item.kind !== "question");
  }

  /** What changes only when the label set does. */
  drawFixed(data) {
    const print = JSON.stringify(data.labels);
    if (print === this.fixed) return;
    this.fixed = print;
    drawTitles(this.refs, this.task, this.taken);
    drawPartial(this.refs, this.task, this.taken);
    drawPalette(this.refs.palette, data, {
      label: (name) => this.editor.useLabel(name),
      remove: () => this.keyboard.run("remove"),
      mark: () => this.keyboard.run("mark"),
      noAnswer: () => this.keyboard.run("noAnswer"),
    });
  }

  outboxChanged(fromOtherTab) {
    if (!this.data) return;
    drawStatus(this.refs.status, this.outbox);
    if (!fromOtherTab || fromOtherTab.kind === "question") return;
    const here = this.deck.current;
    if (!this.deck.forget(fromOtherTab.example_id)) return;
    this.panels.note(fromOtherTab.example_id, fromOtherTab.status, fromOtherTab.snippet);
    if (here?.id === fromOtherTab.example_id) this.tell("That one was labeled in another tab.");
    this.draw();
  }

  refusedNow(item) {
    if (item.kind === "question") {
      this.tell(`Refused: ${item.refused.message}`);
      return;
    }
    const since = this.outbox.waiting.some((one) => one.example_id === item.example_id && one.at > item.at);
    if (since) {
      this.outbox.drop(item.client_id); // a later answer to the same example is on its way and says more
      return;
    }
    this.panels.note(item.example_id, "refused", item.snippet);
    const at = this.deck.find(item.example_id);
    if (at >= 0) this.attachRefusal(this.deck.entries[at]);
    this.tell(`Refused: ${item.refused.message}`);
  }

  attachRefusal(entry) {
    const item = entry && this.refusedAnswers().find((one) => one.example_id === entry.id);
    if (!item) return;
    entry.refused = item;
    entry.answer ??= item.status;
    if (item.status === "flagged") entry.comment = item.comment;
    if (item.payload && !this.deck.dirty(entry)) entry.marks = readPayload(entry, item.payload, true);
    entry.view = null;
  }

  /** Ask the server for something besides the next examples; the answer comes by `update`. */
  ask(what) {
    this.asked += 1;
    const turn = this.asked;
    this.channel.setStateValue("want", { turn, ...what });
    setTimeout(() => turn === this.asked && this.answered !== turn && this.channel.wake(), PATIENCE);
  }

  // --- drawing ---------------------------------------------------------------------------------------------

  /** The whole screen of the current example; cheap where it is the same one as before. */
  draw() {
    const entry = this.deck.current;
    this.root.dataset.task = this.task;
    this.root.dataset.example = entry ? String(entry.id) : "";
    this.refs.empty.hidden = Boolean(entry);
    this.refs.document.hidden = !entry;
    if (!entry) {
      this.loaded = null;
      this.panels.drawEmpty();
      return;
    }
    if (this.loaded !== entry || !entry.view) this.load(entry);
    this.paint();
  }

  load(entry) {
    if (this.task === "qa") cutWords(entry);
    entry.view ??= buildView(entry);
    const moved = this.loaded !== entry;
    this.loaded = entry;
    // Remembered, not asked: to answer, the browser would lay out at once what has just been changed.
    if (moved && this.scrolled) this.refs.stage.scrollTop = 0;
    fill(this.refs.text, entry.view.root);
    this.refs.asking.hidden = this.task !== "qa";
    this.around.draw(entry, moved);
    this.root.classList.toggle("has-heat", Boolean(entry.item.suggestion?.uncertainty?.length));
    if (!moved) return;
    if (this.linked && entry.id !== this.linked) this.leaveLink();
    this.picker.hide();
    this.editor.armed = null;
    const doubts = doubtsOf(entry);
    this.cursor.selection = null;
    if (doubts.length) this.cursor.selectStop(doubts[0], false);
    else if (this.task === "pos" && entry.units.length) this.cursor.select(0, 0, false);
    this.shadow.host.dispatchEvent(new CustomEvent("workbench-example", { bubbles: true, detail: entry.id }));
  }

  /** The elements of the next example are made while this one is read. */
  buildNext() {
    const next = this.deck.upcoming;
    if (!next || next.view) return;
    if (this.task === "qa") cutWords(next);
    next.view = buildView(next);
    paintView(next, this.colors, null);
  }

  /** Labels and selection; called after every change, and touches only what looks different. */
  paint() {
    const entry = this.deck.current;
    if (!entry) return;
    if (!entry.view) this.load(entry);
    paintView(entry, this.colors, this.cursor.selection);
    if (this.task === "qa") this.paintQuestion(entry);
    // The panels follow one frame behind the text: what is asked for in a frame's callback still holds that frame up.
    this.later ||= requestAnimationFrame(() => {
      this.later = setTimeout(() => {
        this.later = 0;
        this.panels.draw();
        this.buildNext();
      }, 0);
    });
  }

  paintQuestion(entry) {
    const { question, former } = this.refs;
    say(question, entry.marks.question ?? "");
    const anew = entry.marks.question !== entry.item.question;
    former.hidden = !anew;
    if (anew) say(former, `Before: ${entry.item.question}`);
  }

  tell(text) {
    say(this.refs.message, text); // a live region of its own: the cursor's is written anew one frame later
    clearTimeout(this.silence);
    this.silence = setTimeout(() => say(this.refs.message, ""), 6000);
  }

  focus() {
    this.refs.stage.focus({ preventScroll: true });
  }

  // --- keys ------------------------------------------------------------------------------------------------

  wire() {
    const { refs } = this;
    refs.stage.addEventListener("scroll", () => (this.scrolled = refs.stage.scrollTop > 0), { passive: true });
    this.root.addEventListener("keydown", (event) => {
      if (this.keyboard.press(event)) event.preventDefault();
      // Streamlit's own shortcuts (r, c) would fire on whatever came through.
      event.stopPropagation();
    });
    // A dialog of the page's (a lost connection) takes the focus and gives it to nobody: keys still mean the text.
    this.catchKey = (event) => {
      const { activeElement } = document;
      if (activeElement && activeElement !== document.body) return;
      this.focus();
      if (this.keyboard.press(event)) event.preventDefault();
      event.stopPropagation();
    };
    document.addEventListener("keydown", this.catchKey, true);
    for (const name of BUTTONS) {
      refs[name].addEventListener("mousedown", (event) => event.preventDefault());
      refs[name].addEventListener("click", () => {
        this.keyboard.run(name);
        if (!this.sheets.open && name !== "guidelines") this.focus(); // the drawer takes the focus and gives it back
      });
    }
    refs.status.addEventListener("mousedown", (event) => event.preventDefault());
    refs.status.addEventListener("click", () => {
      const refused = this.outbox.refused[0];
      if (refused?.kind === "question") this.decisions.askAgain(refused);
      else if (refused) this.decisions.openExample(refused.example_id);
      else this.outbox.flush();
    });
    this.watch = () => (document.hidden ? this.deck.pause() : this.deck.resume());
    document.addEventListener("visibilitychange", this.watch);
  }

  toggleHeat() {
    const on = this.root.classList.toggle("heat");
    this.refs.heat.setAttribute("aria-pressed", String(on));
    if (on && !this.deck.current?.item.suggestion) this.tell("No model has scored this example yet.");
  }
}
