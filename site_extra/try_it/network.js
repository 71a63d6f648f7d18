/* PatchConvNet in plain JavaScript: what a trained network does with one
 * picture. No library, no server.
 *
 *   picture -> resize, rescale -> stem -> trunk -> attentionPooling
 *     -> norm, head -> logits (classes), attention (h, w)
 *
 * A grid is {height, width, channels, data}: row by row, the channels of
 * a cell together. The comments say its shape. `weights` maps the names of
 * the Python package ("stem/conv_0/kernel") to {shape, data}. Functions
 * have its names, too, and stand in the order of the chapters. Dropout and
 * the like are for training alone: here is nothing of them.
 */
"use strict";

const PatchConvNet = (() => {
  const EPSILON_BATCH = 1e-3,
    EPSILON_LAYER = 1e-6;

  // === chapters 02 and 11: a square picture, 32 pixels wide, to -1..1 ===
  /* Each new pixel is a mean of those around its place, weighted by a
   * triangle, which is wider the more the picture shrinks. */
  function resize(picture, size) {
    const scale = picture.width / size,
      reach = Math.max(scale, 1);
    const lines = Array.from({ length: size }, (_, place) => {
      const centre = (place + 0.5) * scale - 0.5;
      const first = Math.max(0, Math.ceil(centre - reach)),
        last = Math.min(picture.width - 1, Math.floor(centre + reach));
      const parts = Array.from(
        { length: last - first + 1 },
        (_, step) => 1 - Math.abs(first + step - centre) / reach,
      );
      const total = parts.reduce((sum, part) => sum + part, 0);
      return { first, parts: parts.map((part) => part / total) };
    });
    const narrow = new Float32Array(picture.height * size * 3),
      small = new Float32Array(size * size * 3);
    for (let row = 0; row < picture.height; row++) {
      // (S, S, 3 or 4) -> (S, size, 3)
      lines.forEach(({ first, parts }, column) =>
        parts.forEach((part, step) => {
          const source =
              (row * picture.width + first + step) * picture.channels,
            target = (row * size + column) * 3;
          for (let colour = 0; colour < 3; colour++)
            narrow[target + colour] +=
              part * picture.data[source + colour];
        }),
      );
    }
    lines.forEach(({ first, parts }, row) =>
      parts.forEach((part, step) => {
        // (S, size, 3) -> (size, size, 3)
        const source = (first + step) * size * 3,
          target = row * size * 3;
        for (let index = 0; index < size * 3; index++)
          small[target + index] += part * narrow[source + index];
      }),
    );
    return { height: size, width: size, channels: 3, data: small };
  }

  function rescale(image) {
    return {
      ...image,
      data: image.data.map((value) => value / 127.5 - 1),
    };
  }

  // === chapter 03: the stem, and its convolution; the trunk uses it ===
  /* A 3x3 convolution with one ring of zeros around, or so many before the
   * picture: (H, W, C) -> (H / stride, W / stride, D). */
  function convolution(x, kernel, bias, stride = 1, before) {
    const [rows, columns, inputs, outputs] = kernel.shape;
    const height = Math.floor((x.height - 1) / stride) + 1,
      width = Math.floor((x.width - 1) / stride) + 1;
    const data = new Float32Array(height * width * outputs);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const place = (row * width + column) * outputs;
        if (bias) data.set(bias.data, place);
        for (let down = 0; down < rows; down++) {
          const y = row * stride + down - (before ?? rows >> 1);
          if (y < 0 || y >= x.height) continue;
          for (let across = 0; across < columns; across++) {
            const z = column * stride + across - (before ?? columns >> 1);
            if (z < 0 || z >= x.width) continue;
            const source = (y * x.width + z) * inputs;
            let weight = (down * columns + across) * inputs * outputs;
            for (let input = 0; input < inputs; input++) {
              const value = x.data[source + input];
              for (let output = 0; output < outputs; output++)
                data[place + output] += value * kernel.data[weight++];
            }
          }
        }
      }
    }
    return { height, width, channels: outputs, data };
  }

  /* x times the probability that a normal number is below x. */
  function gelu(x) {
    return {
      ...x,
      data: x.data.map(
        (value) => value * 0.5 * (1 + erf(value / Math.SQRT2)),
      ),
    };
  }

  /* The error function to 1.5e-7: formula 7.1.26 of Abramowitz and Stegun
   * (1964). */
  function erf(value) {
    const t = 1 / (1 + 0.3275911 * Math.abs(value));
    const sum =
      t *
      (0.254829592 +
        t *
          (-0.284496736 +
            t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return Math.sign(value) * (1 - sum * Math.exp(-value * value));
  }

  function stem(image, weights, strides) {
    let x = image; // (S, S, 3)
    strides.forEach((stride, index) => {
      x = convolution(
        x,
        weights[`stem/conv_${index}/kernel`],
        weights[`stem/conv_${index}/bias`],
        stride,
      );
      x = gelu(batchNorm(x, weights, `stem/norm_${index}`));
    });
    return x; // (h, w, dim)
  }

  // === chapter 04: the trunk ===
  /* In use, batch norm is a scale and a shift for each channel. Not each
   * has learned ones (gamma, beta). */
  function batchNorm(x, weights, name) {
    const part = (which) => weights[`${name}/${which}`]?.data;
    const [gamma, beta] = [part("gamma"), part("beta")];
    const scale = part("moving_variance").map(
      (variance, channel) =>
        (gamma?.[channel] ?? 1) / Math.sqrt(variance + EPSILON_BATCH),
    );
    const shift = part("moving_mean").map(
      (mean, channel) => (beta?.[channel] ?? 0) - mean * scale[channel],
    );
    const channels = scale.length;
    return {
      ...x,
      data: x.data.map(
        (value, index) =>
          value * scale[index % channels] + shift[index % channels],
      ),
    };
  }

  function trunkBlock(x, weights, name) {
    const layer = (input, which) =>
      convolution(
        input,
        weights[`${name}/${which}/kernel`],
        weights[`${name}/${which}/bias`],
      );
    let y = batchNorm(x, weights, `${name}/norm`);
    y = gelu(layer(y, "mix_in"));
    y = gelu(layer(y, "look_around"));
    y = squeezeExcite(y, weights, `${name}/squeeze_excite`);
    y = layer(y, "mix_out");
    // the residual connection
    return {
      ...x,
      data: x.data.map((value, index) => value + y.data[index]),
    };
  }

  function trunk(x, weights) {
    for (
      let block = 0;
      weights[`trunk/block_${block}/norm/gamma`];
      block++
    )
      x = trunkBlock(x, weights, `trunk/block_${block}`);
    return x; // (h, w, dim)
  }

  // === chapter 05: a gate for every channel ===
  function squeezeExcite(x, weights, name) {
    if (!weights[`${name}/reduce/kernel`]) return x; // there is none
    const squeezed = new Float32Array(x.channels);
    x.data.forEach((value, index) => {
      squeezed[index % x.channels] += value / (x.height * x.width);
    });
    const reduced = dense(squeezed, weights, `${name}/reduce`).map(
      (value) => Math.max(value, 0),
    );
    const gate = dense(reduced, weights, `${name}/expand`).map(
      (value) => 1 / (1 + Math.exp(-value)),
    );
    return {
      ...x,
      data: x.data.map((value, index) => value * gate[index % x.channels]),
    };
  }

  // === chapter 06: attention pooling ===
  function dense(vector, weights, name) {
    const {
      shape: [, outputs],
      data: kernel,
    } = weights[`${name}/kernel`];
    const result = weights[`${name}/bias`]
      ? Float32Array.from(weights[`${name}/bias`].data)
      : new Float32Array(outputs);
    vector.forEach((value, input) => {
      for (let output = 0; output < outputs; output++)
        result[output] += value * kernel[input * outputs + output];
    });
    return result;
  }

  function layerNorm(vector, weights, name) {
    const mean =
      vector.reduce((sum, value) => sum + value, 0) / vector.length;
    const variance =
      vector.reduce((sum, value) => sum + (value - mean) ** 2, 0) /
      vector.length;
    const [gamma, beta] = [
      weights[`${name}/gamma`].data,
      weights[`${name}/beta`].data,
    ];
    return vector.map(
      (value, index) =>
        ((value - mean) / Math.sqrt(variance + EPSILON_LAYER)) *
          gamma[index] +
        beta[index],
    );
  }

  function softmax(scores) {
    const greatest = Math.max(...scores);
    const powers = Float32Array.from(scores, (score) =>
      Math.exp(score - greatest),
    );
    const total = powers.reduce((sum, value) => sum + value, 0);
    return powers.map((power) => power / total);
  }

  const dot = (one, other) =>
    one.reduce((sum, value, index) => sum + value * other[index], 0);
  const add = (one, other) =>
    one.map((value, index) => value + other[index]);

  /* Each class token asks, all patches answer, and a single token itself,
   * too: (h, w, dim) -> of each token { pooled (dim), attention (hw) }. */
  function attentionPooling(x, weights) {
    const { shape, data } = weights["pooling/class_token"]; // (1, Q, dim)
    const vectors = (numbers) =>
      Array.from({ length: numbers.length / x.channels }, (_, index) =>
        numbers.subarray(index * x.channels, (index + 1) * x.channels),
      );
    const tokens = vectors(data), // Q = 1, or one for each class
      single = shape[1] === 1;
    const line = [...(single ? tokens : []), ...vectors(x.data)];
    const normal = line.map((vector) =>
      layerNorm(vector, weights, "pooling/norm_tokens"),
    );
    const keys = normal.map((vector) =>
      dense(vector, weights, "pooling/key"),
    );
    const values = normal.map((vector) =>
      dense(vector, weights, "pooling/value"),
    );
    return tokens.map((token) => {
      const { pooled, attention } = ask(token, keys, values, weights);
      const ofPatches = single ? attention.slice(1) : attention;
      return { pooled, attention: ofPatches };
    });
  }

  /* One token's question: keys and values, S of (dim), -> (dim), and the
   * weights (S), which add up to 1. */
  function ask(token, keys, values, weights) {
    const query = dense(
      layerNorm(token, weights, "pooling/norm_tokens"),
      weights,
      "pooling/query",
    );
    const attention = softmax(
      keys.map((key) => dot(query, key) / Math.sqrt(token.length)),
    );
    const mixed = new Float32Array(token.length);
    values.forEach((vector, index) => {
      vector.forEach((value, channel) => {
        mixed[channel] += attention[index] * value;
      });
    });
    const answer = add(token, dense(mixed, weights, "pooling/project"));
    const hidden = gelu({
      data: dense(
        layerNorm(answer, weights, "pooling/norm_mlp"),
        weights,
        "pooling/mlp_in",
      ),
    }).data;
    return {
      pooled: add(answer, dense(hidden, weights, "pooling/mlp_out")),
      attention,
    };
  }

  /* Each class's logit from its own token: (Q, dim) -> (Q). */
  function perClassHead(tokens, weights) {
    const kernel = weights["head/kernel"].data, // (Q, dim)
      bias = weights["head/bias"].data;
    const dim = tokens.length / bias.length;
    return bias.map(
      (start, label) =>
        start +
        dot(
          tokens.subarray(label * dim, (label + 1) * dim),
          kernel.subarray(label * dim, (label + 1) * dim),
        ),
    );
  }

  // === chapter 12: the rival, average pooling, and its map ===
  /* Every patch has the same weight: (h, w, dim) -> (dim). */
  function averagePooling(x) {
    const pooled = new Float32Array(x.channels);
    x.data.forEach((value, index) => {
      pooled[index % x.channels] += value / (x.height * x.width);
    });
    return pooled;
  }

  /* What each patch says for one class, its positive part, summing to 1:
   * (h, w, dim) -> (h w). */
  function classActivationMap(x, weights, label) {
    const {
      shape: [, classes],
      data: kernel,
    } = weights["head/kernel"];
    const map = new Float32Array(x.height * x.width);
    x.data.forEach((value, index) => {
      map[Math.floor(index / x.channels)] +=
        value * kernel[(index % x.channels) * classes + label];
    });
    const positive = map.map((value) => Math.max(value, 0)),
      total = positive.reduce((sum, value) => sum + value, 0);
    return positive.map((value) =>
      total > 0 ? value / total : 1 / map.length,
    );
  }

  // === chapter 11: is the picture like those of the training? ===
  /* How far the mean patch is from what is usual, in units of the distance
   * that one held-out picture in twenty exceeds; undefined where nobody
   * measured what is usual. */
  function strangeness(x, weights) {
    if (!weights["usual/limit"]) return undefined;
    const usual = weights["usual/mean"].data;
    const deviations = dense(
      averagePooling(x).map((value, channel) => value - usual[channel]),
      weights,
      "usual/whitening",
    );
    const distance = Math.sqrt(dot(deviations, deviations) / x.channels);
    return distance / weights["usual/limit"].data[0];
  }

  // === chapters 07 and 16: the whole network ===
  function patchesOf(seen, { weights, strides }) {
    if (weights["stem/conv_0/kernel"])
      return trunk(stem(rescale(seen), weights, strides), weights);
    const features = EfficientNetLite0.features(seen, weights, strides);
    return batchNorm(features, weights, "norm_features");
  }

  /* (h, w, dim) -> logits (classes), and one map (h w), or one a class. */
  function classify(patches, weights) {
    if (!weights["pooling/class_token"]) {
      const logits = dense(averagePooling(patches), weights, "head");
      const maps = [...logits.keys()].map((label) =>
        classActivationMap(patches, weights, label),
      );
      return { logits, maps };
    }
    const found = attentionPooling(patches, weights);
    const tokens = Float32Array.from(
      found.flatMap(({ pooled }) => [...pooled]),
    ); // (Q dim)
    const normal = batchNorm({ data: tokens }, weights, "norm").data;
    const logits =
      found.length > 1
        ? perClassHead(normal, weights)
        : dense(normal, weights, "head");
    return { logits, maps: found.map(({ attention }) => attention) };
  }

  /* picture: {height, width, channels: 3 or 4, data: 0..255}, a square;
   * network: {weights, strides, size}. -> logits; the answer's map,
   * `attention`, with height, width and data (h w); `maps`, the data of
   * the only one, or of one a class; what the network saw, `seen`; and how
   * strange that was, `strangeness`. */
  function explain(picture, network) {
    const { weights, size } = network;
    const seen = resize(picture, size); // (size, size, 3)
    const patches = patchesOf(seen, network); // (h, w, dim)
    const { height, width } = patches;
    const { logits, maps } = classify(patches, weights);
    const answer = logits.indexOf(Math.max(...logits));
    const data = maps[maps.length > 1 ? answer : 0];
    return {
      logits,
      attention: { height, width, data },
      maps,
      seen,
      strangeness: strangeness(patches, weights),
    };
  }

  return { explain, softmax, resize, convolution };
})();
