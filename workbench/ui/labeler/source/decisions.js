// What becomes of an example: accepted, skipped, flagged; and the ways back to an earlier one.

import { writePayload } from "./items.js";
import { acceptMarks } from "./marks.js";
import { shorten } from "./text.js";

export class Decisions {
  constructor(labeler) {
    this.labeler = labeler;
  }

  accept() {
    const entry = this.labeler.deck.current;
    if (!entry) return;
    if (entry.answer && !entry.refused && !this.labeler.deck.dirty(entry) && entry.answer === "accepted") {
      this.labeler.deck.forward();
      this.labeler.draw();
      return;
    }
    if (this.labeler.task === "qa" && !entry.marks.answers.length && !entry.marks.none) {
      this.labeler.tell("Mark an answer, or press N where there is none.");
      return;
    }
    const untagged = entry.marks.tags?.findIndex((tag) => !tag) ?? -1;
    if (untagged >= 0 && !entry.warned) {
      entry.warned = true;
      this.labeler.cursor.selectOne(untagged);
      this.labeler.tell("Some words have no tag yet. Enter again leaves them so.");
      return;
    }
    const marks = acceptMarks(entry.marks, entry.units);
    if (marks.partial && !marks.spans.length) {
      this.labeler.tell("Confirm or label a span first: without any, partial labels say nothing.");
      return;
    }
    if (marks.partial && marks.spans.length < entry.marks.spans.length) entry.undo.push(entry.marks);
    entry.marks = marks;
    this.submit(entry, "accepted", "");
  }

  submit(entry, status, comment) {
    const refused = entry.refused;
    const newer = refused?.refused.newer;
    if (newer) entry.item.base_revision = newer.revision; // seen by now, for this answer and those after it
    const seconds = this.labeler.deck.seconds(entry);
    this.labeler.outbox.add({
      example_id: entry.id,
      status,
      payload: status === "skipped" ? null : this.payloadOf(entry, status),
      seconds,
      comment,
      batch_id: entry.item.batch_id,
      suggestion_version: entry.item.suggestion?.model_version ?? null,
      base_revision: entry.item.base_revision,
      snippet: entry.snippet,
      at: Date.now(),
    });
    if (refused) this.labeler.outbox.drop(refused.client_id);
    entry.refused = null;
    entry.comment = comment;
    if (!entry.answer) {
      this.labeler.session.answers += 1;
      this.labeler.session.seconds += Math.max(0.5, seconds);
      this.labeler.session.ahead += 1;
    }
    this.labeler.deck.submitted(entry, status);
    entry.spent = 0;
    this.labeler.deck.since = performance.now();
    this.labeler.panels.note(entry.id, status, entry.snippet);
    this.labeler.deck.forward();
    this.labeler.draw();
  }

  /** A flagged question without an answer yet says nothing, and so do partial labels without a span; others go along. */
  payloadOf(entry, status) {
    if (entry.marks.partial && !entry.marks.spans.some((span) => span.sure)) return null;
    if (status === "flagged" && this.labeler.task === "qa" && !entry.marks.answers.length && !entry.marks.none) return null;
    return writePayload(entry, entry.marks);
  }

  openExample(id) {
    const known = this.labeler.deck.find(id);
    if (known >= 0) {
      this.labeler.deck.go(known);
      this.labeler.draw();
      this.labeler.focus();
      return;
    }
    this.labeler.ask({ open: id });
  }

  back() {
    if (this.labeler.deck.at > 0) {
      this.labeler.deck.go(this.labeler.deck.at - 1);
      this.labeler.draw();
      return;
    }
    const here = new Set(this.labeler.deck.entries.map((entry) => entry.id));
    const last = [...this.labeler.panels.earlier.values()].reverse().find((one) => !here.has(one.id));
    if (last) this.openExample(last.id);
  }

  reword() {
    const { deck, editor, sheets } = this.labeler;
    const entry = deck.current;
    sheets.showQuestion("Word the question anew", "Keep the new wording", {
      text: entry.marks.question,
      note: "It is stored with your answer. The former wording stays in the history.",
      done: (text) => editor.rewordQuestion(text),
    });
  }

  askAnother() {
    const entry = this.labeler.deck.current;
    this.labeler.sheets.showQuestion("Ask another question on this text", "Ask", {
      text: "",
      note: "It becomes an example of its own, which you are shown to answer.",
      done: (text) => this.send(entry.id, text),
    });
  }

  /** A question that the server refused, to be mended or forgotten. */
  askAgain(item) {
    this.labeler.sheets.showQuestion("This question was refused", "Ask", {
      text: item.question,
      note: item.refused.message,
      done: (text) => {
        this.labeler.outbox.drop(item.client_id);
        this.send(item.example_id, text);
      },
      forget: () => this.labeler.outbox.drop(item.client_id),
    });
  }

  send(exampleId, text) {
    if (!text) return;
    this.labeler.outbox.add({ kind: "question", example_id: exampleId, question: text, snippet: shorten(text, 80), at: Date.now() });
  }

  /** The server has made an example of a question: on to it, unless the person has gone on meanwhile. */
  asked(item, id) {
    const { deck, panels } = this.labeler;
    panels.note(id, "asked", item.snippet);
    if (deck.current?.id === item.example_id) this.openExample(id);
    else this.labeler.tell("Your question is stored; it stands under Earlier.");
  }

  search(query) {
    this.labeler.ask({ search: query });
  }

  /** A refused answer once more: what was a flag or a skip stays one. */
  saveMine(entry) {
    const { status, comment } = entry.refused;
    if (status === "accepted") this.accept();
    else this.submit(entry, status, comment);
  }

  /** Forget a refused answer. */
  letGo(entry) {
    this.labeler.outbox.drop(entry.refused.client_id);
    entry.refused = null;
    this.labeler.panels.forget(entry.id);
    this.labeler.deck.forward();
    this.labeler.draw();
  }
}
