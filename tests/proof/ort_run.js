// ort_run.js MODEL INPUT N,C,H,W OUTPUT: run ONNX Runtime once, for ort_converted. INPUT and OUTPUT
// are f32 numbers, little-endian, and nothing else.
const fs = require('fs');
const ort = require('onnxruntime-node');

async function main() {
  const [model, input, shape, output] = process.argv.slice(2);
  const bytes = fs.readFileSync(input);
  const data = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 2 });
  const x = new ort.Tensor('float32', data, shape.split(',').map(Number));
  const results = await session.run({ [session.inputNames[0]]: x });
  const y = results[session.outputNames[0]].data;
  fs.writeFileSync(output, Buffer.from(y.buffer, y.byteOffset, y.byteLength));
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
