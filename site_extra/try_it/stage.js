/* What "Try it yourself" is made of, as HTML. `small` is the version on the title page. */
"use strict";

const stage = (small, name) => `
${small ? "" : `<fieldset class="networks"><legend>Network</legend>
  <label><input type="radio" name="${name}" value="shapes" checked> Shapes: ten outlines (0.7 MB)</label>
  <label><input type="radio" name="${name}" value="cifar10"> CIFAR-10: animals and vehicles (2.6 MB)</label>
</fieldset>`}
<fieldset><legend>Examples, drawn by code</legend><div class="examples"></div></fieldset>
<p class="problem" role="alert"></p>
<div class="sheets">
  <figure class="drawing">
    <figcaption>Draw here</figcaption>
    <div class="paper">
      <canvas class="pad" tabindex="0" role="application" aria-label="Drawing pad. Arrow keys move the pen, with Shift in larger
        steps; Space sets it down and lifts it; Escape drops the line; Backspace undoes."></canvas>
      <span class="cursor" hidden></span>
    </div>
  </figure>
  <figure class="attention">
    <figcaption>Where it looks</figcaption>
    <canvas class="map" width="256" height="256" tabindex="0" role="application" aria-label="No map yet: draw, or choose an example."></canvas>
    <p class="answer">Draw a shape, or choose an example.</p>
    ${small ? "" : `<ol class="classes"></ol>`}
  </figure>
  <div class="tools">
    <label>Colour <input type="color" value="#ffd400"></label>
    <label>Pen <select><option value="1">thin</option><option value="2" selected>medium</option><option value="4">thick</option></select></label>
    <label><input type="checkbox" checked> Fill outlines</label>
    <button type="button" data-do="undo">Undo</button>
    <button type="button" data-do="clear">New sheet</button>
    ${small ? "" : `<label class="button">Choose a picture<input type="file" accept="image/*"></label>`}
  </div>
  ${small ? "" : `<figure class="rival">
    <figcaption>Average pooling</figcaption>
    <canvas class="map" width="256" height="256" tabindex="0" role="application" aria-label="No map yet."></canvas>
    <p class="answer"></p>
    <ol class="classes"></ol>
  </figure>`}
</div>
<p class="readout" role="status"></p>
${small ? "" : `<p class="slider"><label>Training <input type="range" min="0" step="1"></label> <output></output></p>`}
<p class="note">${small ? "" : "You can also drop a picture anywhere on this box, or paste one. "}The picture never leaves your device.</p>
<p class="unseen" role="status"></p>`;
