/* EfficientNet-Lite0 in plain JavaScript: the trunk that others trained,
 * on which chapter 16 puts attention pooling.
 *
 *   picture -> rescale -> stem -> blocks -> patches (14, 14, 112)
 *
 * A grid is as in network.js. Each batch norm is folded into kernel and
 * bias of the convolution before it: tools/web_pets.py does that. Most of
 * the 243 million products are those of `pointwise`, so it is written for
 * speed.
 */
"use strict";

const EfficientNetLite0 = (() => {
  const relu6 = (value) => Math.min(Math.max(value, 0), 6);
  const active = (x) => ({ ...x, data: x.data.map(relu6) });

  /* A 1x1 convolution: (h, w, C) -> (h, w, D), with the kernel (D, C). Two
   * places and four outputs at a time, so that each number that is fetched
   * is used more than once. Places are even, and outputs come by fours. */
  function pointwise(x, kernel, bias) {
    const inputs = x.channels,
      outputs = bias.data.length,
      places = x.height * x.width;
    const source = x.data,
      weight = kernel.data,
      data = new Float32Array(places * outputs);
    for (let output = 0; output < outputs; output += 4) {
      const a = output * inputs,
        b = a + inputs,
        c = b + inputs,
        d = c + inputs;
      const [biasA, biasB, biasC, biasD] = bias.data.subarray(output);
      for (let place = 0; place < places; place += 2) {
        const one = place * inputs,
          two = one + inputs;
        let oneA = biasA,
          oneB = biasB,
          oneC = biasC,
          oneD = biasD;
        let twoA = biasA,
          twoB = biasB,
          twoC = biasC,
          twoD = biasD;
        for (let input = 0; input < inputs; input++) {
          const first = source[one + input],
            second = source[two + input];
          const weightA = weight[a + input],
            weightB = weight[b + input],
            weightC = weight[c + input],
            weightD = weight[d + input];
          oneA += first * weightA;
          oneB += first * weightB;
          oneC += first * weightC;
          oneD += first * weightD;
          twoA += second * weightA;
          twoB += second * weightB;
          twoC += second * weightC;
          twoD += second * weightD;
        }
        const target = place * outputs + output;
        data[target] = oneA;
        data[target + 1] = oneB;
        data[target + 2] = oneC;
        data[target + 3] = oneD;
        data[target + outputs] = twoA;
        data[target + outputs + 1] = twoB;
        data[target + outputs + 2] = twoC;
        data[target + outputs + 3] = twoD;
      }
    }
    return { ...x, channels: outputs, data };
  }

  /* Each channel on its own, with a kernel (k, k, C) and zeros around:
   * (h, w, C) -> (h / stride, w / stride, C). */
  function depthwise(x, kernel, bias, stride) {
    const [side, , channels] = kernel.shape,
      before = firstZeros(side, stride);
    const height = x.height / stride,
      width = x.width / stride;
    const data = new Float32Array(height * width * channels);
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const place = (row * width + column) * channels;
        data.set(bias.data, place);
        for (let down = 0; down < side; down++) {
          const y = row * stride + down - before;
          if (y < 0 || y >= x.height) continue;
          for (let across = 0; across < side; across++) {
            const z = column * stride + across - before;
            if (z < 0 || z >= x.width) continue;
            const source = (y * x.width + z) * channels,
              weight = (down * side + across) * channels;
            for (let channel = 0; channel < channels; channel++)
              data[place + channel] +=
                x.data[source + channel] * kernel.data[weight + channel];
          }
        }
      }
    }
    return { height, width, channels, data };
  }

  /* Keras' padding "same": where a stride leaves an odd number of zeros,
   * there are fewer of them before the picture than behind it. */
  const firstZeros = (side, stride) => (side - stride) >> 1;

  /* An inverted residual: to six times the channels, a look around, and
   * back down; plus what came in, where the size stays. */
  function block(x, weights, name, stride) {
    const layer = (which) => [
      weights[`${name}/${which}/kernel`],
      weights[`${name}/${which}/bias`],
    ];
    let y = x;
    if (layer("expand")[0]) y = active(pointwise(y, ...layer("expand")));
    y = active(depthwise(y, ...layer("depthwise"), stride));
    y = pointwise(y, ...layer("project"));
    if (stride > 1 || x.channels !== y.channels) return y;
    return {
      ...y,
      data: y.data.map((value, index) => value + x.data[index]),
    };
  }

  let last = null; // the picture before, as more than one head asks for it

  /* (224, 224, 3), 0..255 -> (14, 14, 112). strides: of the stem, and of
   * each block. */
  function features(picture, weights, strides) {
    if (last?.data.every((value, index) => value === picture.data[index]))
      return last.features;
    const data = picture.data.map((value) => (value - 127) / 128);
    let x = active(
      PatchConvNet.convolution(
        { ...picture, data },
        weights["stem/kernel"],
        weights["stem/bias"],
        strides[0],
        firstZeros(3, strides[0]),
      ),
    );
    strides.slice(1).forEach((stride, number) => {
      x = block(x, weights, `block_${number}`, stride);
    });
    last = { data: picture.data, features: x };
    return x;
  }

  return { features };
})();
