// ort.js MODEL THREADS RUNS: time ONNX Runtime on made-up pixels, for compare.
// Prints one line of JSON: load_s, first_s, the seconds of every run, when (by the monotonic clock)
// the session was made and the first logits were there, and the peak resident memory in bytes.
const fs = require('fs');
const ort = require('onnxruntime-node');

const now = () => Number(process.hrtime.bigint()) * 1e-9;

function peakRss() {
  const match = /VmHWM:\s+(\d+) kB/.exec(fs.readFileSync('/proc/self/status', 'utf8'));
  return match ? Number(match[1]) * 1024 : 0;
}

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
  const start = now();
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const ready_at = now();
  const feeds = { [session.inputNames[0]]: madeUpInput(session) };
  const ends = [now()];
  for (let i = 0; i <= Number(runs); i++) {
    await session.run(feeds);
    ends.push(now());
  }
  const times = ends.slice(1).map((end, i) => end - ends[i]);
  console.log(JSON.stringify({
    load_s: ready_at - start, first_s: times[0], times: times.slice(1),
    ready_at, first_at: ends[1], peak_rss_bytes: peakRss(),
  }));
}

main();
