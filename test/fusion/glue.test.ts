/** What is printed around stages. */
import test from 'tape';
import { Adam, add, compile, multiply, Parameter, relu, SGD, type Tensor, tensor } from '../../lib/index.js';
import { fusingCpu } from '../support/fusing.js';
import { targetOf } from '../support/targets.js';

const numbers = tensor(new Float32Array(8));

/** The lines of the function that the kernel of a function's first step stores values with. */
async function putLines(fn: (x: Tensor) => Tensor | Tensor[]): Promise<string[]> {
  const compiled = compile((x) => [fn(x)].flat(), { device: fusingCpu() });
  await compiled(numbers);
  const [step] = compiled.plans().flatMap(({ program }) => program.steps);
  const [launch] = step?.operation.kernel(step, targetOf(false)) ?? [];
  const [, body] = /^fn put\([^\n]*\n([^]*?)\n\}/m.exec(launch?.kernel.code ?? '') ?? [];
  return body?.split('\n') ?? [];
}

const update = (optimizer: SGD | Adam) => (x: Tensor) => {
  const parameter = new Parameter('p', new Float32Array(8));
  optimizer.apply([parameter], [multiply(x, x)]);
  return [];
};

test('all is loaded before anything is stored', async (t) => {
  for (const [what, fn, stores] of [
    ['SGD: the parameter', update(new SGD({ learningRate: 1 })), 1],
    ['with momentum', update(new SGD({ learningRate: 1, momentum: 0.9 })), 2],
    ['Adam: two slots', update(new Adam()), 3],
    [
      'a value on the way, which is a result, too',
      (x: Tensor) => {
        const sum = add(x, x);
        return [sum, multiply(relu(sum), tensor(new Float32Array(8)))];
      },
      2,
    ],
  ] as const) {
    const lines = await putLines(fn);
    const isStore = (line: string): boolean => /^\s*(if \(!\w+\) \{ )?result\d+\[/.test(line);
    t.equal(lines.filter(isStore).length, stores, what);
    t.ok(lines.slice(-stores).every(isStore), 'stores stand at the end');
    t.notOk(
      lines.slice(-stores).some((line) => / = .*\[/.test(line)),
      'and load nothing',
    );
  }
});
