/* The networks away from the page, as a worker: it is told a network once, by a name, and then asked about pictures. */
"use strict";

importScripts("network.js", "lite0.js");

const networks = {};
onmessage = ({data: {name, network, question, picture}}) => {
  if (network) networks[name] = network;
  else postMessage({question, answer: PatchConvNet.explain(picture, networks[name])});
};
