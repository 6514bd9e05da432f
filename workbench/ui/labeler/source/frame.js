// Everything around the text: progress, the labels, why this example, what is labeled, what came before, the status.

import { COMMANDS, hasLetter, keysFor } from "./commands.js";
import { fill, make, makeButton, makeKey, say } from "./dom.js";
import { DOUBT } from "./items.js";
import { countSuggested, spanAt, unitsOf } from "./marks.js";
import { percent, shorten } from "./text.js";

const STRATEGIES = {
  order: "Next in order",
  correction: "To be looked at again",
  random: "Random",
  "least-confidence": "Least confidence",
  "min-probability": "The word it is least sure of",
  mnlp: "Least confidence by length (MNLP)",
  margin: "Smallest margin",
  entropy: "Highest entropy",
  "max-entropy": "The word that puzzles it most",
  bald: "Disagreement (BALD)",
  "power-bald": "Disagreement, by chance (PowerBALD)",
  badge: "Doubts of different kinds (BADGE)",
  "clustered-margin": "Doubtful, one of each kind",
  "rare-labels": "Doubts about rare labels",
  cal: "Unlike its labeled neighbours (CAL)",
  coreset: "Farthest from the labeled (core-set)",
  kmeans: "One of each kind (k-means)",
  typiclust: "Typical examples (TypiClust)",
  "no-answer-distance": "An answer, or none",
};
const LISTED = 60;
const ANSWERS_LISTED = 4;
const READ_OUT_MOST = 2_000;

/** "Batch 2", how far it is, how fast. */
export function drawProgress(refs, data, session, entry) {
  const number = data.batch?.number ?? entry?.item.why.batch;
  const done = Math.min(data.progress.total, data.progress.done + session.ahead);
  say(refs.batch, number ? `Batch ${number}` : "Pool, in order");
  say(refs.counts, `${done.toLocaleString()} of ${data.progress.total.toLocaleString()}`);
  const share = data.progress.total ? done / data.progress.total : 0;
  refs.progress.firstElementChild.style.transform = `scaleX(${share})`;
  refs.progress.setAttribute("aria-valuenow", String(Math.round(share * 100)));
  say(refs.pace, paceText(session, data.progress.total - done));
}

function paceText(session, left) {
  if (session.answers < 3 || session.seconds < 5) return "";
  const each = session.seconds / session.answers;
  const rate = 60 / each;
  const minutes = (each * left) / 60;
  const time = minutes < 1 ? "under a minute" : minutes < 90 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`;
  return `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)} a minute${left > 0 ? `, ${time} left` : ""}`;
}

/** Saved, on its way, or refused. */
export function drawStatus(element, outbox) {
  const [waiting, refused] = [outbox.waiting.length, outbox.refused.length];
  const text = refused
    ? `${refused} refused${waiting ? `, ${waiting} unsaved` : ""}`
    : waiting
      ? `${waiting} unsaved`
      : "Saved";
  say(element, text);
  element.dataset.state = refused ? "refused" : waiting ? "waiting" : "saved";
  element.title = refused ? "Show what was refused" : waiting ? "Kept in this browser until the server has it" : "Everything is stored";
}

/** The labels as buttons. */
export function drawPalette(element, data, actions) {
  if (data.project.task === "qa") {
    const answer = makeButton("label", null, "Mark the selection as an answer", () => actions.mark());
    answer.append(makeKey("Space"), make("span", "", "Answer"));
    answer.style.setProperty("--c", data.answerColor);
    const none = makeButton("label", null, "The question can't be answered from this text", () => actions.noAnswer());
    none.append(makeKey("N"), make("span", "", "No answer"));
    none.dataset.name = "none";
    none.style.setProperty("--c", data.noneColor);
    fill(element, answer, none);
    return;
  }
  const small = data.labels.length > 14;
  element.classList.toggle("small", small);
  const buttons = data.labels.map((label) => {
    const button = makeButton("label", null, label.description || label.name, () => actions.label(label.name));
    if (label.key) button.append(makeKey(label.key));
    button.append(make("span", "", label.name));
    button.dataset.name = label.name;
    button.style.setProperty("--c", label.color);
    return button;
  });
  const remove = makeButton("label remove", null, "Take the label away", () => actions.remove());
  remove.append(makeKey("⌫"), make("span", "", "Remove"));
  fill(element, ...buttons, remove);
}

/** What the buttons of commands with a letter do, with their keys, which depend on the task and the labels' own keys. */
export function drawTitles(refs, task, taken) {
  for (const command of COMMANDS.filter((one) => hasLetter(one) && refs[one.id])) {
    refs[command.id].title = `${command.text} (${keysFor(command, task, taken).join("+")})`;
  }
}

/** The switch for partial labels, which shows its key. */
export function drawPartial(refs, task, taken) {
  const keys = keysFor(COMMANDS.find((command) => command.id === "partial"), task, taken);
  refs.partial.hidden = task !== "ner";
  refs.partial.title = `What you confirm or label is judged, the rest is not known (${keys.join("+")})`;
  fill(refs.partialKeys, ...keys.map(makeKey));
}

/** The strategy, score and model version that chose the example, and where it stands. */
export function drawReason(element, entry) {
  const { why, suggestion } = entry.item;
  const rows = [["Chosen by", STRATEGIES[why.strategy] ?? why.strategy.replaceAll(/[_-]/g, " ")]];
  if (why.why) rows.push(["Why", shorten(why.why, 200)]);
  if (why.score !== null && why.score !== undefined) rows.push(["Score", Number(why.score).toPrecision(3)]);
  if (why.model_version) rows.push(["Scored by", `model v${why.model_version}`]);
  else if (why.base_model) rows.push(["Read by", shorten(why.base_model, 40)]);
  if (suggestion) rows.push(["Suggested by", `model v${suggestion.model_version}, ${percent(suggestion.confidence)} sure`]);
  else rows.push(["Suggested by", "nobody yet"]);
  rows.push(["Document", shorten(entry.item.document, 40)]);
  rows.push(["Example", shorten(entry.item.external_id, 40)]);
  const list = make("dl");
  for (const [name, value] of rows) list.append(make("dt", "", name), make("dd", "", value));
  fill(element, list);
}

/** The word at the cursor with its uncertainty and the model's runners-up; for QA the model's best answers. */
export function drawCursor(element, entry, selection, colors, actions) {
  const rows = entry.task === "qa" ? answerRows(entry, colors, actions) : [];
  if (!selection) {
    const hint = entry.task === "qa" ? "Drag over the answer." : "Click a word, or use the arrows.";
    fill(element, rows.length ? null : make("p", "note", hint), ...rows);
    return;
  }
  const { units, text, item } = entry;
  const words = text.slice(units[selection.first][0], units[selection.last][1]);
  const head = make("p", "word", shorten(words, 60), { dir: "auto" });
  const list = alternativesAt(entry, selection.first).map(([name, p, plain]) =>
    alternativeRow(name, p, colors.get(plain), `Use ${name}`, () => actions.label(plain)),
  );
  const doubt = item.suggestion?.uncertainty?.[selection.first];
  const note = doubt === undefined ? null : make("p", "note", `Uncertainty ${doubt.toFixed(2)}`);
  fill(element, head, ...list, ...rows, note);
}

function alternativeRow(name, p, color, title, press) {
  const row = makeButton("alternative", null, title, press);
  row.style.setProperty("--c", color ?? "");
  row.style.setProperty("--p", String(p));
  row.append(make("span", "name", name), make("span", "meter"), make("i", "", percent(p)));
  return row;
}

function answerRows(entry, colors, actions) {
  const { toUnits } = entry.offsets;
  const best = (entry.item.suggestion?.alternatives ?? []).slice(0, ANSWERS_LISTED);
  return best.map(([start, end, p]) => {
    if (start === end) return alternativeRow("no answer", p, null, "There is no answer", actions.none);
    const [s, e] = [toUnits(start), toUnits(end)];
    const words = shorten(entry.text.slice(s, e), 60);
    return alternativeRow(words, p, colors.get("answer"), `Mark “${words}”`, () => actions.answer(s, e));
  });
}

/** The model's labels of a unit as [shown, probability, label], best first. */
export function alternativesAt(entry, unit) {
  if (entry.task === "qa") return [];
  const merged = new Map();
  for (const [name, p] of entry.item.suggestion?.alternatives?.[unit] ?? []) {
    const plain = entry.task === "ner" ? name.replace(/^[BI]-/, "") : name;
    merged.set(plain, (merged.get(plain) ?? 0) + p);
  }
  return [...merged]
    .sort(([, one], [, other]) => other - one)
    .map(([plain, p]) => [entry.task === "ner" && plain === "O" ? "no label" : plain, p, plain]);
}

/** What is labeled here: spans, answers, or the tags in doubt. */
export function drawMarks(element, heading, entry, colors, actions) {
  const { marks, units, text } = entry;
  const rows = [];
  if (marks.tags) {
    const doubts = marks.tags.map((tag, index) => [tag, index]).filter(([tag]) => !tag || (!tag.sure && (tag.p ?? 0) < DOUBT));
    say(heading, doubts.length ? `${doubts.length} in doubt` : "No doubts");
    for (const [tag, index] of doubts.slice(0, LISTED)) {
      rows.push(markRow(text.slice(...units[index]), tag?.tag ?? "no tag", tag, colors, () => actions.jump(index)));
    }
  } else {
    const list = marks.spans ?? marks.answers;
    const waiting = countSuggested(marks);
    const noun = `${marks.spans ? "label" : "answer"}${list.length === 1 ? "" : "s"}`;
    const rest = marks.partial ? ", the rest not judged" : "";
    say(heading, marks.none ? "Answer" : `${list.length || "No"} ${noun}${waiting ? `, ${waiting} suggested` : ""}${rest}`);
    for (const mark of list.slice(0, LISTED)) {
      const [first, last] = unitsOf(units, mark.s, mark.e);
      const row = markRow(text.slice(mark.s, mark.e), mark.label ?? "answer", mark, colors, () => actions.jump(first, last));
      row.append(makeButton("icon", "✕", "Take it away", () => actions.removeAt(first, last)));
      rows.push(row);
    }
    if (marks.none) {
      const row = make("div", `mark ${marks.none === "sure" ? "sure" : "sug"}`);
      row.append(make("b", "", marks.none === "sure" ? "No answer" : "No answer (suggested)"));
      rows.push(row);
    }
  }
  fill(element, ...rows);
}

function markRow(words, name, mark, colors, jump) {
  const row = make("div", `mark ${mark?.sure ? "sure" : "sug"}`);
  row.style.setProperty("--c", colors.get(name) ?? "");
  const button = makeButton("jump", null, "Go there", jump);
  button.append(make("b", "", name), make("span", "", shorten(words, 48), { dir: "auto" }));
  if (mark && !mark.sure && mark.p !== null) button.append(make("i", "", percent(mark.p)));
  row.append(button);
  return row;
}

/** What was answered before, newest first. */
export function drawEarlier(element, list, currentId, open) {
  const signs = { accepted: "✓", skipped: "↷", flagged: "⚑", withdrawn: "–", draft: "…", refused: "!", asked: "?" };
  const rows = list.map((one) => {
    const button = makeButton("earlier", null, `${one.status}: go back to it`, () => open(one.id));
    button.dataset.status = one.status;
    if (one.id === currentId) button.setAttribute("aria-current", "true");
    button.append(make("b", "", signs[one.status] ?? "·"), make("span", "", one.snippet, { dir: "auto" }));
    return button;
  });
  fill(element, ...rows, rows.length ? null : make("p", "note", "Nothing yet."));
}

/** An example for a screen reader, its question first. */
export function readAloud(entry) {
  const { question } = entry.marks;
  return shorten(question ? `${question} Text: ${entry.text}` : entry.text, READ_OUT_MOST);
}

/** One sentence for a screen reader about the selection. */
export function describeSelection(entry, selection) {
  if (!selection) return "";
  const { units, text, marks } = entry;
  const words = shorten(text.slice(units[selection.first][0], units[selection.last][1]), 80);
  if (marks.tags) {
    const tag = marks.tags[selection.first];
    return `${words}, ${tag ? `${tag.tag}${tag.sure ? "" : `, suggested, ${percent(tag.p ?? 0)}`}` : "no tag"}`;
  }
  const span = spanAt(marks, units, selection.first);
  const name = span ? (span.label ?? "answer") : "no label";
  return `${words}, ${name}${span && !span.sure ? `, suggested, ${percent(span.p ?? 0)}` : ""}`;
}
