import { dirname, join } from 'node:path';
import { compile, DataError, type Device, type Module, softmax, type Tensor } from '../../lib/index.js';
import { readSafetensors } from '../../lib/node/safetensors.js';
import type { Comparison, Values } from './compare.js';
import type { LoadedCase } from './loaded-case.js';
import { trainedNet } from './nets.js';
import { bytesOf, inputFrom } from './pictures.js';
import { selectRows, Stack } from './rows.js';

/** Pictures that are computed at once. */
const BATCH = 256;

/** `trained_net`: logits, probabilities and pooled features of pictures. */
export async function runTrainedNet(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const { attributes, entry } = loaded;
  const { tensors } = await readSafetensors(join(dirname(entry.file), attributes.text('weights')));
  const bytes = bytesOf(loaded, 'u8');
  const model = trainedNet(tensors, bytes.shape.slice(1));
  model.train(attributes.choice('mode', ['eval', 'train'], 'eval') === 'train');
  const forward = compile((pictures: Tensor) => outputsOf(model, pictures), { device });
  const stacks = new Map<string, Stack>();
  const [count = 0] = bytes.shape;
  for (let start = 0; start < count; start += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, count - start) }, (_, i) => start + i);
    const results = await forward(inputFrom(selectRows(bytes, rows), attributes));
    for (const [name, result] of Object.entries(results)) {
      const stack = stacks.get(name) ?? new Stack(result.shape.slice(1));
      stacks.set(name, stack);
      const data = await result.data();
      for (const row of rows.keys()) stack.push(selectRows({ shape: result.shape, data }, [row]).data);
    }
  }
  forward.dispose();
  model.dispose();
  const results = new Map([...stacks].map(([name, stack]) => [name, stack.values()]));
  const logits = results.get('logits');
  return [...loaded.comparisons(results), ...(logits ? rightAnswers(loaded, logits) : [])];
}

function rightAnswers(loaded: LoadedCase, { shape: [, classes = 0], data }: Values): Comparison[] {
  if (!loaded.attributes.has('right')) return [];
  const right = Array.from(loaded.values('labels').data).filter((label, row) => {
    const own = Array.from({ length: classes }, (_, i) => data[row * classes + i] ?? NaN);
    return own.indexOf(Math.max(...own)) === label;
  });
  const expected = { shape: [], data: [loaded.attributes.number('right')] };
  return [{ name: 'right answers', got: { shape: [], data: [right.length] }, expected, rtol: 0, atol: 0 }];
}

/** What the head is given is what the pool puts out. */
function outputsOf(model: Module, pictures: Tensor): { logits: Tensor; softmax: Tensor; features: Tensor } {
  const pool = new Map(model.namedModules()).get('avgpool');
  if (!pool) throw new DataError('the net has no avgpool');
  let features: Tensor | undefined;
  const inner = pool.forward.bind(pool);
  pool.forward = (...inputs) => (features = inner(...inputs));
  const logits = model.forward(pictures);
  Reflect.deleteProperty(pool, 'forward');
  if (!features) throw new DataError('the net does not use its avgpool');
  return { logits, softmax: softmax(logits), features };
}
