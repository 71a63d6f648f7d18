/* A line for the reader's guess below each question that begins "Predict." or "By hand.", and the guess once more where
   the folded outcome opens. A guess stays in this browser, under the page's path and the question's own words: a
   question that is added above moves no guess. An empty line removes it. Nothing is sent anywhere. */
"use strict";

(() => {
  const QUESTION = /^(Predict|By hand)\b/;
  const OUTCOME = "What it says"; // the fold of the text after an output
  const BLANK = /^My guess:\s*…$/; // of a class's notebook: on a page, the field takes its place
  const KEPT = "kept in this browser", NOT_KEPT = "not kept: this browser stores nothing for this page";

  // Reading and writing may be refused: in a private window, or where cookies are blocked.
  function read(key) {
    try { return localStorage.getItem(key) ?? ""; } catch { return ""; }
  }
  function write(key, guess) { // -> whether it is kept
    try {
      if (guess) localStorage.setItem(key, guess); else localStorage.removeItem(key);
      return true;
    } catch { return false; }
  }

  const isQuestion = (element) => element.matches("blockquote") && QUESTION.test(element.querySelector("strong")?.textContent ?? "")
    && QUESTION.test(element.textContent.trim());

  function wordsOf(question) { // without formulas, which look different before and after MathJax
    const copy = question.cloneNode(true);
    copy.querySelectorAll(".math").forEach((formula) => formula.remove());
    return copy.textContent.trim().replace(/\s+/g, " ");
  }

  /* The folds that hide what comes out: of the code cells that follow, and of the text after them. */
  function outcomesOf(question) {
    const folds = [];
    for (let next = question.nextElementSibling; next; next = next.nextElementSibling) {
      if (next.matches("section") || isQuestion(next) || (next.matches(".cell") && !next.matches(".tag_hide-output"))) break;
      if (next.matches(".cell")) folds.push(...next.querySelectorAll("details.hide"));
      if (next.matches("details") && next.querySelector("summary")?.textContent.trim() === OUTCOME) return [...folds, next];
    }
    return folds;
  }

  function make(name, properties = {}, ...parts) {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...parts);
    return element;
  }

  function addLine(question, number, key) {
    const id = `my-guess-${number}`;
    question.id ||= `question-${number}`;
    const field = make("input", {id, type: "text", value: read(key), maxLength: 300, autocomplete: "off"});
    field.setAttribute("aria-describedby", question.id);
    const note = make("span", {className: "guess-note", textContent: field.value ? KEPT : ""});
    note.setAttribute("role", "status");
    const onPaper = make("span", {className: "guess-on-paper mathjax_ignore"}); // a field would cut a long guess off
    const said = outcomesOf(question).map((fold) => {
      const line = make("p", {className: "guess-said mathjax_ignore"});
      fold.querySelector("summary").after(line);
      return line;
    });

    function show() {
      const guess = field.value.trim();
      onPaper.textContent = guess;
      for (const line of said) Object.assign(line, {hidden: !guess, textContent: `You guessed: ${guess}`});
    }
    field.addEventListener("input", () => {
      const guess = field.value.trim(), text = write(key, guess) ? (guess ? KEPT : "") : NOT_KEPT;
      if (note.textContent !== text) note.textContent = text; // a screen reader says it once
      show();
    });
    const below = question.nextElementSibling;
    if (below?.matches("p") && BLANK.test(below.textContent.trim())) below.remove();
    question.after(make("div", {className: "guess"}, make("label", {htmlFor: id, textContent: "My guess"}), field, onPaper, note));
    show();
  }

  const seen = new Map(); // the same words twice on a page are two questions
  const questions = [...document.querySelectorAll(".bd-article blockquote")].filter(isQuestion);
  questions.forEach((question, index) => {
    const words = wordsOf(question), times = (seen.get(words) ?? 0) + 1;
    seen.set(words, times);
    addLine(question, index + 1, `guess ${location.pathname} ${words}${times > 1 ? ` (${times})` : ""}`);
  });
})();
