/* A figure opens in full on a tap, a click, or Enter: on a phone, its letters are too small on the page. What is there
   becomes the button, so that nothing on the page moves. */
"use strict";

(() => {
  const FIGURES = ".bd-article .cell_output img, .bd-article figure img";
  const TINY = 100; // pixels: an icon, not a figure
  const SCROLL_BAR = 20; // pixels

  let dialog, picture, opener;

  function prepare() {
    dialog = document.createElement("dialog");
    dialog.className = "figure-large";
    dialog.setAttribute("aria-label", "Figure, enlarged");
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: "Close", autofocus: true});
    picture = Object.assign(document.createElement("img"), {draggable: false});
    dialog.append(button, picture);
    dialog.addEventListener("click", () => dialog.close()); // on the picture, beside it, or on the button
    dialog.addEventListener("close", () => opener.focus({preventScroll: true}));
    document.body.append(dialog);
  }

  /* As wide as the window, but not blurred, and not narrower than the notebook has it: there, letters are as large as the
     page's own. What does not fit is scrolled to. */
  function widthOf(figure) {
    const given = parseFloat(figure.style.width || figure.getAttribute("width")) || figure.naturalWidth;
    return Math.min(figure.naturalWidth, Math.max(given, document.documentElement.clientWidth - SCROLL_BAR));
  }

  /* Open a figure; `across` and `down`, from 0 to 1, say which place of it comes to the middle. */
  function open(figure, button, across = 0, down = 0) {
    if (!dialog) prepare();
    opener = button;
    const width = widthOf(figure), height = width * figure.naturalHeight / figure.naturalWidth; // it has its place before it is loaded
    Object.assign(picture, {src: figure.currentSrc || figure.src, alt: figure.alt, className: figure.className, width, height});
    dialog.showModal();
    dialog.scrollTo(across * dialog.scrollWidth - dialog.clientWidth / 2, down * dialog.scrollHeight - dialog.clientHeight / 2);
  }

  /* The link to the picture's own file that the book puts around it becomes the button, or else the picture itself. */
  function makeButton(figure) {
    if (figure.naturalWidth < TINY || figure.naturalHeight < TINY) return;
    const button = figure.closest("a") ?? figure;
    button.setAttribute("role", "button");
    button.setAttribute("aria-label", `Enlarge: ${figure.alt || "figure"}`);
    button.setAttribute("aria-haspopup", "dialog");
    button.tabIndex = 0;
    button.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a link opens elsewhere, as ever
      event.preventDefault();
      const box = figure.getBoundingClientRect();
      if (event.detail) open(figure, button, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      else open(figure, button); // from the keyboard, or by a screen reader
    });
    button.addEventListener("keydown", (event) => {
      if (event.key !== " " && (event.key !== "Enter" || button !== figure)) return; // Enter clicks a link by itself
      event.preventDefault(); // the space bar would scroll the page
      open(figure, button);
    });
  }

  const leadsElsewhere = (figure) => figure.closest("a") && figure.closest("a").href !== figure.src;

  for (const figure of document.querySelectorAll(FIGURES)) {
    if (leadsElsewhere(figure) || figure.closest("button, .try-it, .attention-player")) continue;
    if (figure.complete) makeButton(figure);
    else figure.addEventListener("load", () => makeButton(figure), {once: true});
  }
})();
