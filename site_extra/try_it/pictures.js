/* From a file that a reader chose to a square of pixels, in the browser. What cannot be a picture gets a sentence. */
"use strict";

const Pictures = (() => {
  const LARGEST_FILE = 50e6, LARGEST_AREA = 40e6, LARGEST_SIDE = 1024; // bytes, pixels, pixels
  const ACCEPTED = "Choose a PNG, JPEG, WebP, GIF, BMP or AVIF picture.";
  const KINDS = [/^.PNG\r\n/s, /^\xff\xd8\xff/, /^RIFF....WEBP/s, /^GIF8/, /^BM/, /^....ftypavi[fs]/s]; // how files begin, byte by byte as a letter
  const letters = (bytes, from = 0, to = bytes.length) => new TextDecoder("latin1").decode(bytes.subarray(from, to));

  // === whether a picture has a second frame ===
  function pngMoves(bytes, view) {
    for (let place = 8; place + 8 <= bytes.length; place += 12 + view.getUint32(place)) {
      const kind = letters(bytes, place + 4, place + 8);
      if (kind === "acTL" || kind === "IDAT") return kind === "acTL";
    }
    return false;
  }

  /* Where the chunks of a WebP begin: four letters, then a size, then so many bytes. */
  function* webpChunks(bytes, view) {
    for (let place = 12; place + 8 <= bytes.length;) {
      yield {place, kind: letters(bytes, place, place + 4)};
      const size = view.getUint32(place + 4, true);
      place += 8 + size + size % 2;
    }
  }

  const webpMoves = (bytes, view) => [...webpChunks(bytes, view)].some(({kind}) => kind === "ANIM");

  function gifMoves(bytes) {
    const table = (flags) => flags & 128 ? 3 * 2 ** ((flags & 7) + 1) : 0; // bytes of a table of colours
    let place = 13 + table(bytes[10]), frames = 0;
    const skipBlocks = () => { while (bytes[place]) place += bytes[place] + 1; place++; };
    while (frames < 2 && place < bytes.length) {
      const kind = bytes[place];
      if (kind === 0x21) { // an extension
        place += 2;
      } else if (kind === 0x2c) { // a frame
        frames++;
        place += 11 + table(bytes[place + 9]);
      } else {
        break;
      }
      skipBlocks();
    }
    return frames > 1;
  }

  function moves(bytes) {
    const begin = letters(bytes, 0, 4), view = new DataView(bytes.buffer);
    if (begin.endsWith("PNG")) return pngMoves(bytes, view);
    if (begin === "RIFF") return webpMoves(bytes, view);
    return begin === "GIF8" && gifMoves(bytes);
  }

  // === which side of a WebP is up: browsers do not look, as of 2026, and the package does ===
  // EXIF's number -> what becomes of a step to the right and of one down
  const TURNS = {1: [1, 0, 0, 1], 2: [-1, 0, 0, 1], 3: [-1, 0, 0, -1], 4: [1, 0, 0, -1],
    5: [0, 1, 1, 0], 6: [0, 1, -1, 0], 7: [0, -1, -1, 0], 8: [0, -1, 1, 0]};

  /* EXIF's number, or 1 where there is none; then the bytes do not hold it any more, whatever a browser will do with it. */
  function takeTurn(bytes) {
    const view = new DataView(bytes.buffer), chunk = [...webpChunks(bytes, view)].find(({kind}) => kind === "EXIF");
    if (!chunk) return 1;
    bytes.set([88, 88, 88, 88], chunk.place); // a chunk of a name that nobody knows
    const start = chunk.place + (letters(bytes, chunk.place + 8, chunk.place + 12) === "Exif" ? 14 : 8);
    const little = bytes[start] === 73; // "II" for Intel, else "MM" for Motorola
    try {
      const list = start + view.getUint32(start + 4, little);
      for (let entry = list + 2; entry < list + 2 + 12 * view.getUint16(list, little); entry += 12) {
        if (view.getUint16(entry, little) === 0x0112) return view.getUint16(entry + 8, little);
      }
    } catch {} // damaged notes beside a good picture
    return 1;
  }

  // === reading ===

  /* file: a File or Blob. -> {canvas: a square of at most 1,024 pixels, its dataset.cut set if the picture was none;
   * note: what the reader should know, or ""}. Throws an Error with a sentence for the reader. */
  async function read(file) {
    const name = file.name ? `"${file.name}"` : "This picture";
    if (!file.size) throw Error(`${name} is empty (0 bytes). ${ACCEPTED}`);
    if (file.size > LARGEST_FILE) throw Error(`${name} has ${Math.round(file.size / 1e6)} MB; at most 50 are read. Shrink it first.`);
    const bytes = new Uint8Array(await file.arrayBuffer()), text = letters(bytes, 0, 1000); // how it begins
    if (/^\s*(<|\ufeff<|\xef\xbb\xbf<)/.test(text)) throw Error(`${name} is an SVG drawing or a web page, which may hold scripts. ${ACCEPTED}`);
    if (!KINDS.some((kind) => kind.test(text))) throw Error(`${name} is not a picture that browsers read. ${ACCEPTED}`);
    const note = moves(bytes) ? `${name} moves: only its first picture is used.` : "";
    const turn = text.startsWith("RIFF") ? takeTurn(bytes) : 1;
    if (turn !== 1) file = new Blob([bytes]);
    try {
      const area = await areaOf(file);
      if (area > LARGEST_AREA) throw Error(`${name} has ${Math.round(area / 1e6)} million pixels; at most 40 are read. Shrink it first.`);
      // As the package reads it: upright (EXIF), and without a colour profile, which the training pictures have not either.
      const options = {imageOrientation: "from-image", colorSpaceConversion: "none"};
      const image = await createImageBitmap(file, options).catch((error) => {
        if (error.name !== "TypeError") throw error;
        return createImageBitmap(file); // a browser that takes no options
      });
      return {canvas: square(image, TURNS[turn] ?? TURNS[1]), note};
    } catch (error) {
      throw error.constructor === Error ? error : Error(`${name} cannot be read. Is it damaged or cut short?`);
    }
  }

  /* How many pixels: an image element knows it before it unpacks them. */
  async function areaOf(file) {
    const url = URL.createObjectURL(file), image = new Image();
    try {
      await new Promise((resolve, reject) => { Object.assign(image, {onload: resolve, onerror: reject, src: url}); });
      return image.naturalWidth * image.naturalHeight;
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  /* The greatest square in the middle, turned, and on white where the picture is transparent. */
  function square(image, turn) {
    const {width, height} = image, side = Math.min(width, height);
    const canvas = blank(Math.min(side, LARGEST_SIDE)), pen = canvas.getContext("2d");
    const [left, top] = [Math.floor((width - side) / 2), Math.floor((height - side) / 2)];
    Object.assign(pen, {fillStyle: "white", imageSmoothingQuality: "high"}).fillRect(0, 0, canvas.width, canvas.height);
    pen.setTransform(...turn, canvas.width / 2, canvas.width / 2);
    pen.drawImage(image, left, top, side, side, -canvas.width / 2, -canvas.width / 2, canvas.width, canvas.width);
    pen.resetTransform();
    if (width !== height) canvas.dataset.cut = "yes";
    return canvas;
  }

  function blank(side) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = side;
    canvas.getContext("2d", {willReadFrequently: true}); // its pixels are read after every stroke
    return canvas;
  }

  /* A canvas as the network takes it: {height, width, channels: 4, data: 0..255}. */
  function pixels(canvas) {
    const {width, height, data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return {height, width, channels: 4, data};
  }

  /* Whether what is drawn can be read back: some privacy settings answer with white, or with noise. */
  function areReadable() {
    const canvas = blank(8), pen = canvas.getContext("2d"), colours = [[250, 40, 10], [10, 90, 200]];
    colours.forEach(([red, green, blue], half) => {
      pen.fillStyle = `rgb(${red} ${green} ${blue})`;
      pen.fillRect(0, 4 * half, 8, 4);
    });
    const {data} = pixels(canvas);
    return data.every((part, index) => part === [...colours[Math.floor(index / 128)], 255][index % 4]);
  }

  return {read, blank, pixels, areReadable};
})();
