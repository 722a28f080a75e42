// ort.js MODEL THREADS RUNS: time ONNX Runtime on made-up pixels, for compare.
// Prints one line of JSON: load_s, first_s and the seconds of every run.
const ort = require('onnxruntime-node');

const seconds = (from) => Number(process.hrtime.bigint() - from) * 1e-9;

// What the model leaves open is one image of 480x480; the numbers are those of fovea bench.
function madeUpInput(session) {
  const meta = session.inputMetadata ? session.inputMetadata[0] : undefined;
  const shape = meta && meta.shape ? meta.shape : [1, 3, 480, 480];
  const dims = shape.map((d, i) => (typeof d === 'number' && d > 0 ? d : [1, 3, 480, 480][i]));
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
  for (let i = 0; i < data.length; i++) data[i] = ((i * 7919) % 1000) / 250 - 2;
  return new ort.Tensor('float32', data, dims);
}

async function main() {
  const [model, threads, runs] = process.argv.slice(2);
  let start = process.hrtime.bigint();
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const load_s = seconds(start);
  const feeds = { [session.inputNames[0]]: madeUpInput(session) };
  const times = [];
  for (let i = 0; i <= Number(runs); i++) {
    start = process.hrtime.bigint();
    await session.run(feeds);
    times.push(seconds(start));
  }
  console.log(JSON.stringify({ load_s, first_s: times[0], times: times.slice(1) }));
}

main();
