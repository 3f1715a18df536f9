import test from 'tape';
import {
  BatchNorm,
  compile,
  gradient,
  GroupNorm,
  LayerNorm,
  loadState,
  Module,
  OptionError,
  predict,
  run,
  Sequential,
  ShapeError,
  stateOf,
  sum,
  tensor,
  type Tensor,
  type Variable,
} from '../../lib/index.js';
import { type Shape, sizeOf } from '../../lib/shape.js';
import { differs } from '../support/close.js';
import { testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';

const TOLERANCE = { absolute: 1e-5, relative: 1e-5 };
const ROWS = [
  [1, 10],
  [3, 10],
  [5, 40],
];
const ROWS_TENSOR = tensor(ROWS);
/** (x - mean) / √(variance + 1e-5): columns 1, 3, 5 of mean 3 and variance 8/3; 10, 10, 40 of 20 and 200. */
const NORMALIZED = ROWS.flatMap(([a = 0, b = 0]) => [
  (a - 3) / Math.sqrt(8 / 3 + 1e-5),
  (b - 20) / Math.sqrt(200 + 1e-5),
]);

async function runningOf(layer: BatchNorm): Promise<Float32Array> {
  const read = async (variable: Variable | undefined) => [...((await variable?.data()) ?? [])];
  return Float32Array.of(...(await read(layer.running_mean)), ...(await read(layer.running_var)));
}

testOnDevices('BatchNorm trains by the batch, and moves its running statistics on', async (t, device) => {
  const layer = new BatchNorm().build([2]);
  t.deepEqual([...layer.namedVariables().keys()], ['weight', 'bias', 'running_mean', 'running_var']);
  t.deepEqual([...layer.namedParameters().keys()], ['weight', 'bias']);
  const step = compile((x: Tensor) => layer.forward(x), { device });
  t.equal(differs(await (await step(ROWS_TENSOR)).data(), NORMALIZED, TOLERANCE), undefined);
  // 0.9 · 0 + 0.1 · mean; 0.9 · 1 + 0.1 · unbiased variance, 4 and 300
  t.equal(differs(await runningOf(layer), [0.3, 2, 1.3, 30.9], TOLERANCE), undefined);
  await step(ROWS_TENSOR);
  t.equal(differs(await runningOf(layer), [0.57, 3.8, 1.57, 57.81], TOLERANCE), undefined, 'the second call');
});

testOnDevices('BatchNorm evaluates by its running statistics, and leaves them', async (t, device) => {
  const layer = new BatchNorm().build([2]).eval();
  layer.running_mean?.set(Float32Array.of(1, 2));
  layer.running_var?.set(new Float32Array([4, 9]));
  const output = await run(() => layer.forward(tensor([[3, 8]])), { device });
  t.equal(differs(await output.data(), [1, 2], TOLERANCE), undefined);
  t.deepEqual([...(await runningOf(layer))], [1, 2, 4, 9]);
});

/** A part that is frozen, and one that is trained. */
class Net extends Module {
  body = new Sequential([new BatchNorm()]);
  head = new BatchNorm();

  forward(x: Tensor): Tensor {
    return this.head.forward(this.body.forward(x));
  }
}

testOnDevices('a frozen BatchNorm uses its running statistics and leaves them', async (t, device) => {
  const net = new Net().build([2]);
  const [body, head] = [net.namedModules()[2]?.[1] as BatchNorm, net.head];
  const step = compile((x: Tensor) => net.forward(x), { device });
  net.freeze('body');
  await step(ROWS_TENSOR);
  t.deepEqual([...(await runningOf(body))], [0, 0, 1, 1]);
  t.equal(differs(await runningOf(head), [0.3, 2, 1.3, 30.9], { absolute: 1e-3, relative: 1e-3 }), undefined);
  net.unfreeze('body');
  await step(ROWS_TENSOR);
  t.equal(differs(await runningOf(body), [0.3, 2, 1.3, 30.9], TOLERANCE), undefined, 'unfrozen again');
});

testOnDevices('a BatchNorm held in evaluation mode keeps its statistics while the rest trains', async (t, device) => {
  const net = new Net().build([2]);
  net.head.eval();
  await run(() => net.forward(ROWS_TENSOR), { device });
  t.deepEqual([...(await runningOf(net.head))], [0, 0, 1, 1]);
  t.notDeepEqual([...(await runningOf(net.namedModules()[2]?.[1] as BatchNorm))], [0, 0, 1, 1]);
});

test('predict uses the running statistics of a model in training mode', async (t) => {
  const layer = new BatchNorm({ affine: false, epsilon: 0 }).build([2]);
  layer.running_mean?.set(Float32Array.of(1, 2));
  layer.running_var?.set(new Float32Array([4, 9]));
  t.deepEqual([...(await (await predict(layer, tensor([[3, 8]]))).data())], [1, 2]);
  t.deepEqual([...layer.namedVariables().keys()], ['running_mean', 'running_var']);
  t.end();
});

test('running statistics are saved and loaded with the weights', async (t) => {
  const layer = new BatchNorm().build([2]);
  await run(() => layer.forward(ROWS_TENSOR));
  const other = new BatchNorm().build([2]);
  loadState(other, { tensors: await stateOf(layer) });
  t.deepEqual(await runningOf(other), await runningOf(layer));
  t.end();
});

test('BatchNorm refuses one value a channel in training, other channels, bad options', async (t) => {
  const layer = new BatchNorm().build([3]);
  const train = (shape: Shape) => run(() => layer.forward(tensor(new Float32Array(sizeOf(shape)), { shape })));
  await rejects(t, train([1, 3]), ShapeError, /\[1, 3\]/);
  await rejects(t, train([2, 2]), ShapeError, /\[2, 2\]/);
  t.throws(() => new BatchNorm({ momentum: 2 }), OptionError);
  t.throws(() => new BatchNorm({ epsilon: -1 }), OptionError);
  t.throws(() => new GroupNorm(0), OptionError);
});

testOnDevices('an empty batch leaves the running statistics', async (t, device) => {
  const layer = new BatchNorm().build([2]);
  const output = await run(() => layer.forward(tensor(new Float32Array(0), { shape: [0, 2] })), { device });
  t.deepEqual(output.shape, [0, 2]);
  t.deepEqual([...(await runningOf(layer))], [0, 0, 1, 1]);
});

testOnDevices('LayerNorm normalizes the last axes, GroupNorm groups of channels', async (t, device) => {
  const columns = ROWS[0]?.map((_, c) => ROWS.map((row) => row[c] ?? NaN)) ?? [];
  const expected = [0, 1].flatMap((c) => [0, 1, 2].map((r) => NORMALIZED[2 * r + c] ?? NaN));
  const layer = new LayerNorm().build([3]);
  const whole = new LayerNorm({ axes: [-2, -1] }).build([3, 2]);
  const group = new GroupNorm(2).build([3, 2]);
  const [rows, all, groups] = await run(
    () => [layer.forward(tensor(columns)), whole.forward(tensor([ROWS])), group.forward(tensor([ROWS]))],
    { device },
  );
  t.equal(differs(await rows.data(), expected, TOLERANCE), undefined);
  t.deepEqual(whole.weight?.shape, [3, 2]);
  const [mean, variance] = [69 / 6, (1 + 9 + 25 + 100 + 100 + 1600) / 6 - (69 / 6) ** 2];
  const flat = ROWS.flat().map((x) => (x - mean) / Math.sqrt(variance + 1e-5));
  t.equal(differs(await all.data(), flat, TOLERANCE), undefined);
  t.equal(differs(await groups.data(), NORMALIZED, TOLERANCE), undefined);
  const slopes = await run(() => gradient(sum(group.forward(tensor([ROWS]))), [group.parameters()[1] as Variable]), {
    device,
  });
  t.deepEqual([...((await slopes[0]?.data()) ?? [])], [3, 3]);
});
