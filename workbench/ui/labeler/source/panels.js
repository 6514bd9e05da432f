// The bar above the text and the panels beside it, brought up to date one frame after it.

import { fill, make, makeButton, say } from "./dom.js";
import { describeSelection, drawCursor, drawEarlier, drawMarks, drawProgress, drawReason, drawStatus, readAloud } from "./frame.js";
import { readPayload } from "./items.js";
import { countSuggested, sameMarks, spanAt } from "./marks.js";
import { shorten } from "./text.js";

const EARLIER_SHOWN = 40;
const SAID = {
  accepted: "You accepted this one",
  skipped: "You skipped this one",
  flagged: "You flagged this one",
};
const MINE = { accepted: "Enter", skipped: "Skip it all the same", flagged: "Flag it all the same" };

export class Panels {
  constructor(labeler) {
    this.labeler = labeler;
    this.earlier = new Map(); // by example: what was answered, the newest last
    this.drawnEarlier = null;
    this.explained = null; // the entry that "Why this example" is about
  }

  draw() {
    const { deck, cursor, editor, keyboard, picker, refs, colors } = this.labeler;
    const entry = deck.current;
    if (!entry) return;
    this.drawBar(entry);
    if (this.explained !== entry) {
      drawReason(refs.why, entry);
      say(refs.reading, readAloud(entry));
    }
    this.explained = entry;
    drawCursor(refs.cursor, entry, cursor.selection, colors, {
      label: (name) => editor.useLabel(name === "O" ? null : name),
      answer: (s, e) => editor.markAnswer(s, e),
      none: () => keyboard.run("noAnswer"),
    });
    drawMarks(refs.marks, refs.marksHeading, entry, colors, {
      jump: (first, last = first) => cursor.select(first, last, false, true),
      removeAt: (first, last) => {
        cursor.select(first, last, true);
        keyboard.run("remove");
      },
    });
    this.drawEarlier(entry.id);
    this.drawBanner(entry);
    this.drawPressed(entry);
    const suggested = countSuggested(entry.marks);
    refs.confirmAll.hidden = suggested === 0;
    say(refs.confirmAllText, suggested === 1 ? "Confirm the suggestion" : `Confirm ${suggested} suggestions`);
    refs.back.disabled = deck.at === 0 && this.earlier.size === 0;
    const changed = deck.dirty(entry) || entry.refused || entry.answer !== "accepted";
    const fresh = entry.marks.partial ? "Accept only these" : "Accept";
    say(refs.acceptText, !entry.answer ? fresh : changed ? "Save revision" : "Go on");
    if (!picker.open) say(refs.live, describeSelection(entry, cursor.selection));
  }

  /** How far the work is, and whether all of it is stored (which the outbox also says at once when it changes). */
  drawBar(entry) {
    const { data, outbox, refs, session } = this.labeler;
    drawStatus(refs.status, outbox);
    drawProgress(refs, data, session, entry);
  }

  drawPressed(entry) {
    const { cursor, editor, refs, root } = this.labeler;
    if (root.dataset.none !== (entry.marks.none ?? "")) root.dataset.none = entry.marks.none ?? "";
    root.dataset.partial = String(Boolean(entry.marks.partial));
    refs.partial.setAttribute("aria-pressed", root.dataset.partial);
    const at = cursor.selection?.first;
    let under = null;
    if (at !== undefined) {
      under = entry.marks.tags ? entry.marks.tags[at]?.tag : spanAt(entry.marks, entry.units, at)?.label;
    }
    for (const button of refs.palette.querySelectorAll("[data-name]")) {
      const { name } = button.dataset;
      const armed = editor.armed === name;
      const pressed = name === "none" ? Boolean(entry.marks.none) : under === name || armed;
      if (button.getAttribute("aria-pressed") !== String(pressed)) button.setAttribute("aria-pressed", String(pressed));
      if (button.classList.contains("armed") !== armed) button.classList.toggle("armed", armed);
    }
  }

  drawEmpty() {
    const { data, outbox, refs } = this.labeler;
    this.drawBar(null);
    this.explained = null;
    const waiting = outbox.waiting.length > 0;
    say(refs.emptyTitle, waiting ? "Saving the last ones" : data.empty.title);
    say(refs.emptyText, waiting ? "More may follow in a moment." : data.empty.text);
    say(refs.reading, `${refs.emptyTitle.textContent}. ${refs.emptyText.textContent}`);
    for (const name of ["why", "cursor", "marks"]) fill(refs[name]);
    refs.banner.hidden = true;
    this.drawEarlier(null);
  }

  /** An example that was answered, or whose answer was refused. */
  note(id, status, snippet) {
    this.earlier.delete(id);
    this.earlier.set(id, { id, status, snippet });
    this.drawnEarlier = null;
  }

  forget(id) {
    this.earlier.delete(id);
    this.drawnEarlier = null;
  }

  drawEarlier(currentId) {
    if (this.drawnEarlier === String(currentId)) return;
    this.drawnEarlier = String(currentId);
    const newest = [...this.earlier.values()].reverse().slice(0, EARLIER_SHOWN);
    drawEarlier(this.labeler.refs.earlier, newest, currentId, (id) => this.labeler.decisions.openExample(id));
  }

  drawBanner(entry) {
    const { banner } = this.labeler.refs;
    const refusal = entry.refused?.refused;
    const said = entry.item.said?.status; // in a correction batch an example comes with what has been said of it
    const status = entry.answer ?? (said in SAID ? said : null);
    banner.hidden = !refusal && !status;
    banner.dataset.kind = refusal ? "refused" : "revising";
    if (banner.hidden) return;
    if (refusal) fill(banner, ...this.refusalParts(entry, refusal));
    else {
      const only = entry.saved?.partial ? ", only these spans" : "";
      const sentence = `${this.whoSaid(entry, status)}${only}. Change it and press Enter to save a revision.`;
      fill(banner, make("span", "", sentence));
    }
  }

  whoSaid(entry, status) {
    if (!entry.by || entry.by === this.labeler.data.me) return SAID[status] ?? "You have seen this one";
    if (entry.by === "import") return "This one came with these labels";
    return `${entry.by} ${status} this one`;
  }

  refusalParts(entry, refusal) {
    const { decisions, editor } = this.labeler;
    const parts = [make("b", "", "Not stored. "), make("span", "", refusal.message)];
    if (refusal.newer?.payload) {
      const { author, payload } = refusal.newer;
      const theirs = readPayload(entry, payload, true);
      const title = "Their labels in place of yours; undo brings yours back";
      parts.push(make("p", "difference", differenceText(entry, theirs, author)));
      parts.push(makeButton("plain", `Take ${author}'s`, title, () => editor.change(theirs)));
    }
    const row = make("div");
    row.append(
      makeButton("plain", "Save mine", MINE[entry.refused.status], () => decisions.saveMine(entry)),
      makeButton("plain", "Let it go", "Forget your answer", () => decisions.letGo(entry)),
    );
    return [...parts, row];
  }
}

/** What two people disagree on, in words. */
function differenceText(entry, theirs, author) {
  if (entry.marks.tags) {
    const differing = entry.units
      .map((unit, index) => [entry.text.slice(...unit), entry.marks.tags[index]?.tag, theirs.tags[index]?.tag])
      .filter(([, mine, other]) => mine !== other);
    const words = ([word, mine, other]) => `${word}: you ${mine ?? "nothing"}, ${author} ${other ?? "nothing"}`;
    const shown = differing.slice(0, 8).map(words);
    return shown.join(" · ") || "Both say the same.";
  }
  const words = (mark) => `${mark.label ? `${mark.label} ` : ""}“${shorten(entry.text.slice(mark.s, mark.e), 40)}”`;
  const list = (marks) => (marks.spans ?? marks.answers).map(words);
  const [mine, other] = [list(entry.marks), list(theirs)];
  const only = (some, without) => some.filter((one) => !without.includes(one)).join(", ") || "nothing else";
  if (sameMarks(entry.marks, theirs)) return "Both say the same.";
  const asked = entry.marks.question === theirs.question ? "" : ` ${author} asks: “${shorten(theirs.question, 80)}”`;
  const judged = (partial) => (partial ? "only these spans" : "the whole text");
  const scope =
    Boolean(entry.marks.partial) === Boolean(theirs.partial)
      ? ""
      : ` You judge ${judged(entry.marks.partial)}, ${author} ${judged(theirs.partial)}.`;
  return `Only you: ${only(mine, other)}. Only ${author}: ${only(other, mine)}.${asked}${scope}`;
}
