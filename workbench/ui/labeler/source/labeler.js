// The page's conductor: what the server says comes in by `update`, what the person does by keys and pointer; every
// change ends in `paint`.

import { commandOf } from "./commands.js";
import { Deck } from "./deck.js";
import { fill, make, makeButton, say } from "./dom.js";
import {
  alternativesAt,
  describeSelection,
  drawCursor,
  drawEarlier,
  drawMarks,
  drawPalette,
  drawProgress,
  drawReason,
  drawStatus,
} from "./frame.js";
import { doubtsOf, readPayload, writePayload } from "./items.js";
import {
  addAnswer,
  confirmMarks,
  countSuggested,
  labelSpan,
  moveEdge,
  removeAnswers,
  removeSpan,
  sameMarks,
  setTag,
  spanAt,
  toggleNoAnswer,
  unitAt,
  unitsOf,
} from "./marks.js";
import { Drafts, Outbox } from "./outbox.js";
import { Picker } from "./picker.js";
import { Pointer } from "./pointer.js";
import { Sheets } from "./sheets.js";
import { buildView, drawNeighbours, paintView, unitOnNextLine } from "./stage.js";
import { shorten, snapToGrapheme } from "./text.js";

export class Labeler {
  constructor(shadow, data, channel) {
    this.shadow = shadow;
    this.channel = channel;
    this.root = shadow.querySelector(".labeler");
    this.refs = {};
    for (const element of this.root.querySelectorAll("[data-ref]")) this.refs[element.dataset.ref] = element;
    this.task = data.project.task;
    this.deck = new Deck(this.task, new Drafts(data.space));
    this.outbox = new Outbox(
      data.space,
      (list) => this.channel.setStateValue("outbox", list),
      (item) => this.outboxChanged(item),
    );
    this.session = { answers: 0, seconds: 0, ahead: 0 };
    this.earlier = new Map();
    this.selection = null;
    this.armed = null; // a label that marks whatever is dragged over
    this.asked = 0;
    this.loaded = null;
    this.sheets = new Sheets(this.refs.sheet, this.refs.drawer, () => this.focus());
    this.picker = new Picker(this.refs.picker, (name) => this.pickLabel(name));
    this.pointer = new Pointer(this);
    this.wire();
    this.update(data);
    this.focus();
  }

  close() {
    this.outbox.close();
    clearTimeout(this.prebuild);
  }

  // --- from the server -------------------------------------------------------------------------------------

  update(data) {
    const first = !this.data;
    this.data = data;
    this.colors = new Map(data.labels.map((label) => [label.name, label.color]));
    this.colors.set("answer", data.answerColor);
    this.taken = new Set(data.labels.map((label) => label.key).filter(Boolean));
    this.deck.extend(data.queue, new Set([...this.outbox.items.values()].map((item) => item.example_id)));
    const refused = this.outbox.acknowledge(data.receipts);
    for (const item of refused) this.refusedNow(item);
    this.session.ahead = this.outbox.waiting.length;
    if (first) {
      for (const one of [...data.recent].reverse()) this.note(one.id, one.status, one.snippet);
      for (const item of this.outbox.refused) this.note(item.example_id, "refused", item.snippet);
    }
    if (data.opened && data.opened.turn !== this.openedTurn) {
      this.openedTurn = data.opened.turn;
      if (data.opened.item) {
        this.deck.revisit(data.opened.item);
        this.attachRefusal(this.deck.current);
        this.focus();
      } else this.tell("This example is not in the project any more.");
    }
    if (data.found && data.found.turn === this.asked) this.sheets.showResults(data.found.results);
    this.drawFixed(data);
    this.draw();
    if (first && this.outbox.waiting.length) this.outbox.flush();
  }

  /** What changes only when the label set does. */
  drawFixed(data) {
    const print = JSON.stringify(data.labels);
    if (print === this.fixed) return;
    this.fixed = print;
    drawPalette(this.refs.palette, data, {
      label: (name) => this.useLabel(name),
      remove: () => this.run("remove"),
      mark: () => this.run("mark"),
      noAnswer: () => this.run("noAnswer"),
    });
  }

  outboxChanged(fromOtherTab) {
    if (!this.data) return;
    drawStatus(this.refs.status, this.outbox);
    if (!fromOtherTab) return;
    const here = this.deck.current;
    if (!this.deck.forget(fromOtherTab.example_id)) return;
    this.note(fromOtherTab.example_id, fromOtherTab.status, fromOtherTab.snippet);
    if (here?.id === fromOtherTab.example_id) this.tell("That one was labeled in another tab.");
    this.draw();
  }

  refusedNow(item) {
    this.note(item.example_id, "refused", item.snippet);
    const at = this.deck.find(item.example_id);
    if (at >= 0) this.attachRefusal(this.deck.entries[at]);
    this.tell(`Refused: ${item.refused.message}`);
  }

  attachRefusal(entry) {
    const item = entry && this.outbox.refused.find((one) => one.example_id === entry.id);
    if (!item) return;
    entry.refused = item;
    entry.answer ??= item.status;
    if (item.payload) entry.marks = readPayload(entry, item.payload, true);
    entry.view = null;
  }

  // --- drawing ---------------------------------------------------------------------------------------------

  /** The whole screen of the current example; cheap where it is the same one as before. */
  draw() {
    const entry = this.deck.current;
    this.root.dataset.task = this.task;
    this.root.dataset.example = entry ? String(entry.id) : "";
    drawStatus(this.refs.status, this.outbox);
    drawProgress(this.refs, this.data, this.session, entry);
    this.refs.empty.hidden = Boolean(entry);
    this.refs.document.hidden = !entry;
    if (!entry) {
      this.drawEmpty();
      return;
    }
    if (this.loaded !== entry || !entry.view) this.load(entry);
    this.paint();
  }

  load(entry) {
    if (this.task === "qa") this.cutWords(entry);
    entry.view ??= buildView(entry);
    const moved = this.loaded !== entry;
    this.loaded = entry;
    fill(this.refs.text, entry.view.root);
    this.refs.question.hidden = this.task !== "qa";
    say(this.refs.question, entry.item.question ?? "");
    drawNeighbours(this.refs.before, entry.item.before, entry.direction);
    drawNeighbours(this.refs.after, entry.item.after, entry.direction);
    drawReason(this.refs.why, entry, this.data);
    this.root.classList.toggle("has-heat", Boolean(entry.item.suggestion?.uncertainty?.length));
    if (!moved) return;
    this.picker.hide();
    this.armed = null;
    const doubts = doubtsOf(entry);
    this.selection = null;
    if (doubts.length) this.selectStop(doubts[0], false);
    else if (this.task === "pos" && entry.units.length) this.select(0, 0, false);
    this.refs.stage.scrollTop = 0;
    this.shadow.host.dispatchEvent(new CustomEvent("workbench-example", { bubbles: true, detail: entry.id }));
    clearTimeout(this.prebuild);
    this.prebuild = setTimeout(() => {
      const next = this.deck.upcoming[0];
      if (next && !next.view) {
        if (this.task === "qa") this.cutWords(next);
        next.view = buildView(next);
      }
    }, 0);
  }

  /** Answers may begin inside a word: its element is then cut in two. */
  cutWords(entry) {
    const cuts = entry.marks.answers.flatMap((answer) => [answer.s, answer.e]);
    const units = [];
    for (const [from, to] of entry.units) {
      let at = from;
      for (const cut of cuts.filter((one) => one > from && one < to).sort((one, other) => one - other)) {
        units.push([at, cut]);
        at = cut;
      }
      if (at < to) units.push([at, to]);
    }
    if (units.length !== entry.units.length) {
      entry.units = units;
      entry.view = null;
    }
  }

  /** Labels and selection; called after every change, and touches only what looks different. */
  paint() {
    const entry = this.deck.current;
    if (!entry) return;
    if (!entry.view) this.load(entry);
    paintView(entry, this.colors, this.selection);
    if (!this.later) {
      // The panels may follow one frame behind the text.
      this.later = requestAnimationFrame(() => {
        this.later = 0;
        this.drawPanels();
      });
    }
  }

  drawPanels() {
    const entry = this.deck.current;
    if (!entry) return;
    drawCursor(this.refs.cursor, entry, this.selection, this.colors, {
      label: (name) => this.useLabel(name === "O" ? null : name),
      answer: (s, e) => this.markAnswer(s, e),
      none: () => this.run("noAnswer"),
    });
    drawMarks(this.refs.marks, this.refs.marksHeading, entry, this.colors, {
      jump: (first, last = first) => this.select(first, last, false, true),
      removeAt: (first, last) => {
        this.select(first, last, true);
        this.run("remove");
      },
    });
    drawEarlier(this.refs.earlier, [...this.earlier.values()].reverse().slice(0, 40), entry.id, (id) => this.openExample(id));
    this.drawBanner(entry);
    const suggested = countSuggested(entry.marks);
    const under = this.selection && this.markUnder(entry);
    for (const button of this.refs.palette.querySelectorAll("[data-name]")) {
      const name = button.dataset.name;
      const pressed = name === "none" ? Boolean(entry.marks.none) : under === name || this.armed === name;
      button.setAttribute("aria-pressed", String(pressed));
      button.classList.toggle("armed", this.armed === name);
    }
    this.refs.confirmAll.hidden = suggested === 0;
    say(this.refs.confirmAllText, suggested === 1 ? "Confirm the suggestion" : `Confirm ${suggested} suggestions`);
    this.refs.back.disabled = this.deck.at === 0 && this.earlier.size === 0;
    say(this.refs.acceptText, entry.answer ? (this.deck.dirty(entry) || entry.refused ? "Save revision" : "Go on") : "Accept");
    say(this.refs.live, describeSelection(entry, this.selection));
  }

  markUnder(entry) {
    if (entry.marks.tags) return entry.marks.tags[this.selection.first]?.tag ?? null;
    return spanAt(entry.marks, entry.units, this.selection.first)?.label ?? null;
  }

  drawBanner(entry) {
    const { banner } = this.refs;
    const refusal = entry.refused?.refused;
    banner.hidden = !refusal && !entry.answer;
    banner.dataset.kind = refusal ? "refused" : "revising";
    if (banner.hidden) return;
    if (!refusal) {
      const what = { accepted: "You accepted this one", skipped: "You skipped this one", flagged: "You flagged this one" };
      fill(banner, make("span", "", `${what[entry.answer] ?? "You have seen this one"}. Change it and press Enter to save a revision.`));
      return;
    }
    const parts = [make("b", "", "Not stored. "), make("span", "", refusal.message)];
    if (refusal.newer?.payload) {
      const theirs = readPayload(entry, refusal.newer.payload, true);
      parts.push(make("p", "difference", differenceText(entry, theirs, refusal.newer.author)));
      parts.push(makeButton("plain", `Take ${refusal.newer.author}'s`, "Their labels in place of yours; undo brings yours back", () => {
        this.change(theirs);
      }));
    }
    parts.push(makeButton("plain", "Save mine", "Enter", () => this.run("accept")));
    parts.push(makeButton("plain", "Let it go", "Forget your answer", () => {
      this.outbox.drop(entry.refused.client_id);
      entry.refused = null;
      this.earlier.delete(entry.id);
      this.deck.forward();
      this.draw();
    }));
    fill(banner, ...parts);
  }

  drawEmpty() {
    const waiting = this.outbox.waiting.length > 0 || this.data.progress.done < this.data.progress.total;
    say(this.refs.emptyTitle, this.outbox.waiting.length ? "Saving the last ones" : this.data.empty.title);
    say(this.refs.emptyText, waiting && this.outbox.waiting.length ? "More may follow in a moment." : this.data.empty.text);
    this.loaded = null;
    drawEarlier(this.refs.earlier, [...this.earlier.values()].reverse().slice(0, 40), null, (id) => this.openExample(id));
    fill(this.refs.why);
    fill(this.refs.cursor);
    fill(this.refs.marks);
    this.refs.banner.hidden = true;
  }

  tell(text) {
    say(this.refs.message, text);
    say(this.refs.live, text);
    clearTimeout(this.silence);
    this.silence = setTimeout(() => say(this.refs.message, ""), 6000);
  }

  note(id, status, snippet) {
    this.earlier.delete(id);
    this.earlier.set(id, { id, status, snippet });
  }

  focus() {
    this.refs.stage.focus({ preventScroll: true });
  }

  // --- selection -------------------------------------------------------------------------------------------

  select(anchor, head, chosen, scroll = false) {
    this.selection = { anchor, head, first: Math.min(anchor, head), last: Math.max(anchor, head), chosen };
    if (scroll) this.scrollTo(head);
    this.paint();
  }

  scrollTo(unit) {
    this.deck.current.view.elements[unit]?.scrollIntoView({ block: "nearest" });
  }

  unselect() {
    this.selection = null;
    this.paint();
  }

  step(by, extend) {
    const entry = this.deck.current;
    const { selection } = this;
    const last = entry.units.length - 1;
    if (last < 0) return;
    if (!selection) {
      this.select(by > 0 ? 0 : last, by > 0 ? 0 : last, extend, true);
      return;
    }
    const from = extend ? selection.head : by > 0 ? selection.last : selection.first;
    const to = Math.max(0, Math.min(last, from + by));
    this.select(extend ? selection.anchor : to, to, extend, true);
  }

  stepLine(by, extend) {
    const entry = this.deck.current;
    if (!this.selection) return this.step(by, extend);
    const to = unitOnNextLine(entry.view, this.selection.head, by);
    return this.select(extend ? this.selection.anchor : to, to, extend, true);
  }

  /** To the next (or previous) unit worth a look; false where there is none, so that Tab leaves the text. */
  stepDoubt(by) {
    const entry = this.deck.current;
    const at = this.selection ? (by > 0 ? this.selection.last : this.selection.first) : by > 0 ? -1 : entry.units.length;
    let stops = doubtsOf(entry);
    if (!stops.length && !entry.marks.tags) {
      const list = (entry.marks.spans ?? entry.marks.answers).filter((mark) => !mark.sure);
      stops = list.map((mark) => unitsOf(entry.units, mark.s, mark.e)[0]);
    }
    const next = by > 0 ? stops.find((stop) => stop > at) : stops.filter((stop) => stop < at).pop();
    if (next === undefined) {
      if (!stops.length) return false;
      this.selectStop(by > 0 ? stops[0] : stops[stops.length - 1]);
      return true;
    }
    this.selectStop(next);
    return true;
  }

  /** A stop is the whole of the span or answer that stands there. */
  selectStop(unit, scroll = true) {
    const entry = this.deck.current;
    const span = entry.marks.tags ? null : spanAt(entry.marks, entry.units, unit);
    const [first, last] = span ? unitsOf(entry.units, span.s, span.e) : [unit, unit];
    this.select(first, last, false, scroll);
  }

  // --- labels ----------------------------------------------------------------------------------------------

  change(marks) {
    const entry = this.deck.current;
    if (!entry || !this.deck.change(marks)) return;
    if (this.task === "qa") this.recut(entry);
    this.paint();
  }

  /** After a change of answers the words' elements may have to be cut; the selection keeps its place. */
  recut(entry) {
    const place = this.selection && entry.units[this.selection.first][0];
    this.cutWords(entry);
    if (!entry.view && place !== null) {
      const unit = Math.max(0, unitAt(entry.units, place));
      this.selection = { anchor: unit, head: unit, first: unit, last: unit, chosen: false };
    }
  }

  /** A label from its key, its button or the list; null takes the label away. */
  useLabel(name) {
    const entry = this.deck.current;
    if (!entry) return;
    if (!this.selection) {
      this.armed = this.armed === name ? null : name;
      this.tell(this.armed ? `Drag over words to label them ${name}; Esc to stop.` : "");
      this.drawPanels();
      return;
    }
    const { first, last, chosen } = this.selection;
    if (this.task === "pos") {
      this.change(setTag(entry.marks, first, last, name));
      this.step(1, false);
      return;
    }
    if (this.task !== "ner") return;
    if (name === null) this.change(removeSpan(entry.marks, entry.units, first, last, !chosen));
    else this.change(labelSpan(entry.marks, entry.units, first, last, name, !chosen));
    const span = spanAt(entry.marks, entry.units, last);
    const end = span ? unitsOf(entry.units, span.s, span.e)[1] : last;
    this.select(end, end, false);
    say(this.refs.live, describeSelection(entry, this.selection));
  }

  pickLabel(name) {
    this.picker.hide();
    if (name) this.useLabel(name);
  }

  openPicker(query) {
    const entry = this.deck.current;
    if (!entry || this.task === "qa") return;
    if (!this.selection) this.select(0, 0, false);
    const unit = this.selection.first;
    const likelier = alternativesAt(entry, unit).map(([, p, plain]) => [plain, p]);
    this.picker.show(this.data.labels, entry.view.elements[unit], query, likelier);
  }

  moveEdge(edge, by) {
    const entry = this.deck.current;
    if (!entry || !this.selection) return;
    if (this.task === "ner") {
      this.change(moveEdge(entry.marks, entry.units, this.selection.first, edge, by));
      return;
    }
    // An answer's edge moves by letters: words are what dragging is for.
    const answer = spanAt(entry.marks, entry.units, this.selection.first);
    if (!answer) return;
    const from = edge === "start" ? answer.s : answer.e;
    const to = by < 0 ? snapToGrapheme(entry.text, from - 1) : nextGrapheme(entry.text, from);
    const [s, e] = edge === "start" ? [to, answer.e] : [answer.s, to];
    if (s >= e || !entry.text.slice(s, e).trim()) return;
    const answers = entry.marks.answers.map((one) => (one === answer ? { s, e, sure: true, p: null } : one));
    this.change({ answers, none: "" });
  }

  markAnswer(s, e) {
    this.change(addAnswer(this.deck.current.marks, s, e));
  }

  // --- decisions -------------------------------------------------------------------------------------------

  accept() {
    const entry = this.deck.current;
    if (!entry) return;
    if (entry.answer && !entry.refused && !this.deck.dirty(entry) && entry.answer === "accepted") {
      this.deck.forward();
      this.draw();
      return;
    }
    if (this.task === "qa" && !entry.marks.answers.length && !entry.marks.none) {
      this.tell("Mark an answer, or press N where there is none.");
      return;
    }
    const untagged = entry.marks.tags?.findIndex((tag) => !tag) ?? -1;
    if (untagged >= 0 && !entry.warned) {
      entry.warned = true;
      this.select(untagged, untagged, false, true);
      this.tell("Some words have no tag yet. Enter again leaves them so.");
      return;
    }
    entry.marks = confirmMarks(entry.marks, entry.units);
    this.submit(entry, "accepted", "");
  }

  submit(entry, status, comment) {
    const refused = entry.refused;
    const seconds = this.deck.seconds(entry);
    this.outbox.add({
      example_id: entry.id,
      status,
      payload: status === "skipped" ? null : this.payloadOf(entry, status),
      seconds,
      comment,
      batch_id: entry.item.batch_id,
      suggestion_version: entry.item.suggestion?.model_version ?? null,
      base_revision: refused?.refused.newer?.revision ?? entry.item.base_revision,
      snippet: entry.snippet,
      at: Date.now(),
    });
    if (refused) this.outbox.drop(refused.client_id);
    entry.refused = null;
    entry.comment = comment;
    if (!entry.answer) {
      this.session.answers += 1;
      this.session.seconds += Math.max(0.5, seconds);
      this.session.ahead += 1;
    }
    this.deck.submitted(entry, status);
    entry.spent = 0;
    this.deck.since = performance.now();
    this.note(entry.id, status, entry.snippet);
    this.deck.forward();
    this.draw();
  }

  /** A flagged question without an answer yet says nothing; labels that were touched or suggested go along. */
  payloadOf(entry, status) {
    if (status === "flagged" && this.task === "qa" && !entry.marks.answers.length && !entry.marks.none) return null;
    return writePayload(entry, entry.marks);
  }

  openExample(id) {
    const known = this.deck.find(id);
    if (known >= 0) {
      this.deck.go(known);
      this.draw();
      this.focus();
      return;
    }
    this.asked += 1;
    this.channel.setStateValue("want", { turn: this.asked, open: id });
  }

  back() {
    if (this.deck.at > 0) {
      this.deck.go(this.deck.at - 1);
      this.draw();
      return;
    }
    const here = new Set(this.deck.entries.map((entry) => entry.id));
    const last = [...this.earlier.values()].reverse().find((one) => !here.has(one.id));
    if (last) this.openExample(last.id);
  }

  // --- keys ------------------------------------------------------------------------------------------------

  wire() {
    const { refs } = this;
    this.root.addEventListener("keydown", (event) => {
      if (this.press(event)) event.preventDefault();
      // Streamlit's own shortcuts (r, c) would fire on whatever came through.
      event.stopPropagation();
    });
    const press = (name, command) => {
      refs[name].addEventListener("mousedown", (event) => event.preventDefault());
      refs[name].addEventListener("click", () => {
        this.run(command);
        if (!this.sheets.open) this.focus();
      });
    };
    press("back", "back");
    press("skip", "skip");
    press("flag", "flag");
    press("accept", "accept");
    press("confirmAll", "confirmAll");
    press("find", "find");
    press("heat", "heat");
    press("guidelines", "guidelines");
    press("help", "help");
    refs.status.addEventListener("mousedown", (event) => event.preventDefault());
    refs.status.addEventListener("click", () => {
      const refused = this.outbox.refused[0];
      if (refused) this.openExample(refused.example_id);
      else this.outbox.flush();
    });
    addEventListener("visibilitychange", () => (document.hidden ? this.deck.pause() : this.deck.resume()));
  }

  /** Whether the key meant something here. */
  press(event) {
    if (event.isComposing) return false;
    if (this.sheets.open) return this.sheets.press(event);
    if (event.target.matches?.("input, textarea")) return false;
    if (this.picker.open) return this.pressInPicker(event);
    if (event.ctrlKey || event.metaKey) return this.pressWithControl(event);
    if (event.target !== this.refs.stage && ["Enter", " ", "Tab"].includes(event.key)) return false; // a button's own
    const label = event.altKey ? null : this.labelOfKey(event.key);
    if (label && this.task !== "qa") {
      this.useLabel(label);
      return true;
    }
    const command = commandOf(event, this.task, this.taken);
    if (command) return this.run(command, event);
    if (this.task === "pos" && !event.altKey && event.key.length === 1 && /\S/.test(event.key)) {
      this.openPicker(event.key);
      return true;
    }
    return false;
  }

  labelOfKey(key) {
    const { labels } = this.data;
    const found = labels.find((label) => label.key === key) ?? labels.find((label) => label.key === key.toLowerCase());
    return found && (this.task !== "pos" || !/[a-z]/i.test(key)) ? found.name : null;
  }

  pressWithControl(event) {
    const key = event.key.toLowerCase();
    if (key === "z" || key === "y") {
      const forward = key === "y" || event.shiftKey;
      const what = forward ? this.deck.redo() : this.deck.undo();
      if (what === "change") {
        if (this.task === "qa") this.recut(this.deck.current);
        this.paint();
      } else if (what === "example") this.draw();
      else this.tell(forward ? "Nothing to redo." : "Nothing to undo.");
      return true;
    }
    return false;
  }

  pressInPicker(event) {
    const { picker } = this;
    if (event.key === "Escape") picker.hide();
    else if (event.key === "ArrowDown") picker.move(1);
    else if (event.key === "ArrowUp") picker.move(-1);
    else if (event.key === "Backspace") {
      if (picker.query) picker.type(picker.query.slice(0, -1));
      else picker.hide();
    } else if (["Enter", "Tab", " ", "ArrowRight", "ArrowLeft"].includes(event.key)) {
      if (event.repeat) return true;
      const { best } = picker;
      if (!best && event.key !== "ArrowLeft") return true;
      const from = this.selection.first;
      this.pickLabel(best);
      if (event.key === "Tab" && this.task === "pos") this.stepDoubt(1);
      if (event.key === "ArrowLeft") this.select(Math.max(0, from - 1), Math.max(0, from - 1), false, true);
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) picker.type(picker.query + event.key);
    else return false;
    return true;
  }

  /** Do what a command says; false where the key should keep its own meaning. */
  run(command, event = null) {
    const action = this.actions[command];
    if (!action) return false;
    if (event?.repeat && ["accept", "skip", "flag", "noAnswer", "help", "guidelines", "heat"].includes(command)) return true;
    return action(event) !== false;
  }

  get actions() {
    if (this.knownActions) return this.knownActions;
    const entry = () => this.deck.current;
    const forward = () => (entry()?.direction === "rtl" ? -1 : 1);
    const inText = (action) => () => (entry() && entry().units.length ? action() : false);
    this.knownActions = {
      accept: () => this.accept(),
      confirm: inText(() => this.confirmHere()),
      confirmAll: inText(() => this.change(confirmMarks(entry().marks, entry().units))),
      skip: () => entry() && this.sheets.showSkip((reason) => this.submit(entry(), "skipped", reason)),
      flag: () => entry() && this.sheets.showFlag(entry().comment ?? "", (comment) => this.submit(entry(), "flagged", comment)),
      noAnswer: () => entry() && this.task === "qa" && this.change(toggleNoAnswer(entry().marks)),
      right: inText(() => this.step(forward(), false)),
      left: inText(() => this.step(-forward(), false)),
      down: inText(() => this.stepLine(1, false)),
      up: inText(() => this.stepLine(-1, false)),
      home: inText(() => this.select(0, 0, false, true)),
      end: inText(() => this.select(entry().units.length - 1, entry().units.length - 1, false, true)),
      extendRight: inText(() => this.step(forward(), true)),
      extendLeft: inText(() => this.step(-forward(), true)),
      extendDown: inText(() => this.stepLine(1, true)),
      extendUp: inText(() => this.stepLine(-1, true)),
      nextDoubt: inText(() => this.stepDoubt(1)),
      previousDoubt: inText(() => this.stepDoubt(-1)),
      back: () => this.back(),
      onward: () => this.deck.go(this.deck.at + 1) && this.draw(),
      find: () => this.sheets.showFind((query) => this.search(query), (id) => this.openExample(id)),
      pick: () => this.openPicker(""),
      mark: inText(() => this.markSelection()),
      remove: inText(() => this.removeHere()),
      startLeft: inText(() => this.moveEdge("start", -1)),
      startRight: inText(() => this.moveEdge("start", 1)),
      endRight: inText(() => this.moveEdge("end", 1)),
      endLeft: inText(() => this.moveEdge("end", -1)),
      escape: () => this.letGo(),
      heat: () => this.toggleHeat(),
      guidelines: () => this.sheets.toggleGuidelines(this.data.guidelines, this.data.labels),
      help: () => this.sheets.showHelp(this.task, this.data.labels, this.taken),
    };
    return this.knownActions;
  }

  confirmHere() {
    const entry = this.deck.current;
    if (!this.selection) return this.stepDoubt(1);
    const { first, last } = this.selection;
    const marks = confirmMarks(entry.marks, entry.units, first, last);
    if (!sameMarks(marks, entry.marks) || countSuggested(marks) !== countSuggested(entry.marks)) this.change(marks);
    // A word outside of every label that was looked at is no doubt any more.
    (entry.passed ??= new Set()).add(first);
    if (this.task === "pos") this.step(1, false);
    else this.stepDoubt(1);
    return true;
  }

  markSelection() {
    const entry = this.deck.current;
    if (!this.selection) return this.tell("Select the answer first: drag, or arrows with Shift.");
    const { first, last, chosen } = this.selection;
    const under = spanAt(entry.marks, entry.units, first);
    if (under && !under.sure && !chosen) return this.change(confirmMarks(entry.marks, entry.units, first, last));
    return this.markAnswer(entry.units[first][0], entry.units[last][1]);
  }

  removeHere() {
    const entry = this.deck.current;
    if (!this.selection) {
      if (this.task === "qa" && entry.marks.none) this.change({ answers: [], none: "" });
      return;
    }
    const { first, last, chosen } = this.selection;
    if (this.task === "pos") this.change(setTag(entry.marks, first, last, null));
    else if (this.task === "qa") this.change(removeAnswers(entry.marks, entry.units[first][0], entry.units[last][1]));
    else this.change(removeSpan(entry.marks, entry.units, first, last, !chosen));
    this.select(first, first, false);
  }

  letGo() {
    if (!this.refs.drawer.hidden) this.refs.drawer.hidden = true;
    else if (this.armed) this.armed = null;
    else this.selection = null;
    say(this.refs.message, "");
    this.paint();
  }

  toggleHeat() {
    const on = this.root.classList.toggle("heat");
    this.refs.heat.setAttribute("aria-pressed", String(on));
    if (on && !this.deck.current?.item.suggestion) this.tell("No model has scored this example yet.");
  }

  search(query) {
    this.asked += 1;
    this.channel.setStateValue("want", { turn: this.asked, search: query });
  }
}

function nextGrapheme(text, at) {
  for (let to = at + 1; to <= text.length; to += 1) if (snapToGrapheme(text, to) === to) return to;
  return text.length;
}

/** What two people disagree on, in words. */
function differenceText(entry, theirs, author) {
  if (entry.marks.tags) {
    const differing = entry.units
      .map((unit, index) => [entry.text.slice(...unit), entry.marks.tags[index]?.tag, theirs.tags[index]?.tag])
      .filter(([, mine, other]) => mine !== other);
    const shown = differing.slice(0, 8).map(([word, mine, other]) => `${word}: you ${mine ?? "nothing"}, ${author} ${other ?? "nothing"}`);
    return shown.join(" · ") || "Both say the same.";
  }
  const list = (marks) => (marks.spans ?? marks.answers).map((mark) => `${mark.label ? `${mark.label} ` : ""}“${shorten(entry.text.slice(mark.s, mark.e), 40)}”`);
  const [mine, other] = [list(entry.marks), list(theirs)];
  const only = (some, without) => some.filter((one) => !without.includes(one)).join(", ") || "nothing else";
  if (sameMarks(entry.marks, theirs)) return "Both say the same.";
  return `Only you: ${only(mine, other)}. Only ${author}: ${only(other, mine)}.`;
}
