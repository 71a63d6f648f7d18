/* What one network answers: its map, its sentence, and the list of classes. */
"use strict";

/* box: the part that holds all; name: the class of the view's parts; on.choose(cell, map, view), on.press(cell, map): see
 * Maps.view; say(text) tells a screen reader. -> {show, caption, ask, wait}, or null where the box has no such parts */
function answerView(box, name, on, say) {
  const [figure, said] = [box.querySelector(`figure.${name}`), box.querySelector(`.said.${name}`)];
  if (!figure) return null;
  const [title, answer, list] = [figure.querySelector("figcaption"), said.querySelector(".answer"), said.querySelector(".classes")];
  const view = {figure, title, answer, mapName: "", usual: title.textContent, show, caption, ask, wait};
  let cut = false, asked = false;
  const map = Maps.view(figure.querySelector(".map"), {
    choose: (cell, shown) => on.choose(cell, shown, view),
    press: on.press,
  });

  /* found: see PatchConvNet.explain; names: of its classes; marks: {object, hidden}; isCut: whether the picture was no square;
   * keep: whether the chosen patch stays chosen. -> {name, share, sentence, remark, located} */
  function show(found, {names, mapName, marks, isCut, keep}) {
    const shares = PatchConvNet.softmax(found.logits), strange = found.strangeness > 1; // undefined is not
    const classes = names.map((label, index) => ({name: label, index, share: shares[index]})).sort((one, other) => other.share - one.share);
    const sentence = Words.describe(classes[0], found.attention, mapName, isCut, strange);
    view.mapName = mapName;
    cut = isCut;
    map.show(found, marks, sentence, keep);
    answer.textContent = view.shown = sentence;
    title.textContent = view.usual;
    asked = false;
    figure.classList.remove("waiting");
    list?.replaceChildren(...classes.slice(0, 5).map((one, place) => row(one, place === 0, found.maps.length > 1)));
    return {...classes[0], sentence, remark: strange ? Words.remark(names.length) : "", located: marks.object && {mapName, ...marks.object.on(found.attention)}};
  }

  /* A class and its share; where each class has a map, a press shows it. */
  function row({name: label, index, share}, isAnswer, hasMap) {
    const item = document.createElement("li"), words = document.createElement(hasMap ? "button" : "span");
    item.style.setProperty("--share", share);
    words.append(label, Object.assign(document.createElement("span"), {textContent: Words.percent(share).replace("more than ", ">\u202f")}));
    item.append(words);
    if (!hasMap) return item;
    Object.assign(words, {type: "button", title: `Where is the map of "${label}"?`}).setAttribute("aria-pressed", isAnswer);
    words.addEventListener("click", () => {
      const sentence = `Map of "${label}", ${Words.percent(share)}`, where = `${view.mapName} ${Words.place(map.of(index, sentence), cut)}`;
      list.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", other === words));
      title.textContent = isAnswer ? view.usual : `Map of “${label}”`;
      view.shown = isAnswer ? answer.textContent : `${Words.percent(share)}; ${where}`;
      say(`${sentence}; ${where}`);
    });
    return item;
  }

  /* The picture has changed; `wait` says so where no answer has come since. */
  function ask() {
    asked = true;
  }

  function wait(text) {
    if (!asked) return;
    figure.classList.add("waiting");
    answer.textContent = text;
    list?.replaceChildren();
  }

  function caption(text) {
    view.usual = title.textContent = text;
  }

  return view;
}
