import test from 'tape';
import {
  batchIndices,
  compile,
  correctPredictions,
  type Device,
  gather,
  type LabelledData,
  RandomStream,
  SGD,
  softmaxCrossEntropy,
  sum,
  Variable,
  myNet,
} from '../../lib/index.js';
import { drawBits, keyOfSeed, streamOf } from '../../lib/random.js';
import { differs } from '../support/close.js';
import { cpu, simd } from '../support/devices.js';
import { webgpu } from '../support/webgpu.js';
import { trainPlainly } from './plain-mynet.js';

const PICTURES = 124; // as many as the article's: batches of 32, 32, 32 and 28
const COLUMNS = 3 * 28 * 28;
const STEPS = 60;
const SEED = 5;
const SGD_OPTIONS = { learningRate: 0.02, momentum: 0.9 };
const DROPOUT = 0.5;

/** Noise of 8 bits, with a horizontal bar that is brighter in the upper half for one class, in the lower for the other. */
function pictures(): LabelledData {
  const noise = new RandomStream(SEED, 'pictures').uniform(PICTURES * COLUMNS);
  const labels = Int32Array.from({ length: PICTURES }, (_, i) => (i < PICTURES / 2 ? 0 : 1));
  const inputs = noise.map((value, i) => {
    const row = Math.floor((i % (28 * 28)) / 28);
    const isBar = row >= 8 && row < 20 && row < 14 === (labels[Math.floor(i / COLUMNS)] === 0);
    return Math.floor(256 * (0.7 * value + (isBar ? 0.1 : 0))) / 255;
  });
  return { inputs, inputShape: [COLUMNS], labels, classNames: ['upper', 'lower'] };
}

/** Rows of each of the 60 steps: 15 epochs of four batches. */
const batches = Array.from({ length: STEPS / 4 }, (_, epoch) =>
  batchIndices(PICTURES, 32, { seed: SEED, epoch }),
).flat();

/** Trains MyNet with the library, and by the loops of plain-mynet.ts from the same weights and masks. */
async function compareTraining(t: test.Test, hidden: number, device: Device): Promise<void> {
  const data = pictures();
  const model = myNet({ hidden, dropout: DROPOUT }).build([COLUMNS], { seed: SEED });
  const copies = await Promise.all(
    model.parameters().map(async (parameter) => Float64Array.from(await parameter.data())),
  );
  const [W1, b1, W2, b2] = copies;
  if (!W1 || !b1 || !W2 || !b2) throw new Error('MyNet has four parameters');

  const [inputs, labels] = [new Variable('x', data.inputs, [PICTURES, COLUMNS]), new Variable('labels', data.labels)];
  const optimizer = new SGD(SGD_OPTIONS);
  const step = compile(
    (rows) => {
      const target = gather(labels, rows);
      const logits = model.forward(gather(inputs, rows));
      const loss = softmaxCrossEntropy(logits, target);
      optimizer.minimize(loss, model.parameters());
      return { loss, hits: sum(correctPredictions(logits, target)) };
    },
    { device },
  );
  const got = { losses: new Float64Array(STEPS), hits: new Float64Array(STEPS) };
  for (const [i, rows] of batches.entries()) {
    const { loss, hits } = await step(rows);
    got.losses[i] = await loss.item();
    got.hits[i] = await hits.item();
  }

  // The masks by their definition: 24-bit numbers from the streams of lib/random.ts, kept where they reach p.
  const masks = batches.map((rows, i) =>
    drawBits([...keyOfSeed(SEED), i, 0], streamOf('dropout.mask'), 0, rows.length * hidden),
  );
  const expected = trainPlainly({
    inputs: Float64Array.from(data.inputs),
    labels: data.labels,
    parameters: [W1, b1, W2, b2],
    batches,
    rate: SGD_OPTIONS.learningRate,
    momentum: SGD_OPTIONS.momentum,
    dropout: DROPOUT,
    isKept: (i, index) => ((masks[i]?.[index] ?? 0) >>> 8) / 2 ** 24 >= DROPOUT,
  });
  const worst = Math.max(...expected.losses.map((loss, i) => Math.abs((got.losses[i] ?? NaN) / loss - 1)));
  console.log(`# worst relative error of a loss: ${worst.toExponential(1)}`);
  t.equal(differs(got.losses, expected.losses, { absolute: 0, relative: 1e-4 }), undefined, 'losses');
  t.deepEqual(Array.from(got.hits), expected.hits, 'hits');
  const [first = 0, last = 0] = [expected.losses[0], expected.losses.at(-1)];
  t.ok(last < 0.8 * first, `it learns: ${first} -> ${last}`);
  for (const [p, parameter] of model.parameters().entries()) {
    const values = await parameter.data();
    t.equal(differs(values, copies[p] ?? [], { absolute: 1e-5, relative: 1e-4 }), undefined, parameter.name);
  }
  step.dispose();
  model.dispose();
  optimizer.dispose();
}

test('60 steps of MyNet with 200 units follow a plain float64 training on simd', (t) => compareTraining(t, 200, simd));

test('60 steps of MyNet with 24 units follow a plain float64 training on cpu', (t) => compareTraining(t, 24, cpu));

test('60 steps of MyNet with 64 units follow a plain float64 training on webgpu', async (t) =>
  compareTraining(t, 64, await webgpu()));
