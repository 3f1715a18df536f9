import type test from 'tape';
import { CpuDevice } from '../../lib/device/cpu/device.js';
import { compile, type Device, tensor, type Tensor } from '../../lib/index.js';
import { RandomStream } from '../../lib/random.js';
import { differs } from './close.js';
import { stepsOf } from './fusing.js';

const plain = new CpuDevice({ reason: 'test' });

/** A tensor of normal numbers, drawn from its name. */
export function normal(name: string, ...shape: number[]): Tensor {
  const size = shape.reduce((product, own) => product * own, 1);
  return tensor(new RandomStream(9, name).normal(size), { shape });
}

/**
 * Compares a function's results on a device with those of the references, unfused, within a tolerance. The function that it
 * gives resolves with the steps that were taken.
 */
export function comparing(tolerance: { readonly absolute: number; readonly relative: number }) {
  return async (
    t: test.Test,
    device: Device,
    what: string,
    fn: (...x: Tensor[]) => Tensor | Tensor[],
    ...x: Tensor[]
  ): Promise<string[]> => {
    const resultsOn = async (on: Device) => {
      const step = compile((...given) => [fn(...given)].flat(), { device: on });
      const values = await Promise.all((await step(...x)).map((own) => own.data()));
      return { values, steps: stepsOf(step) };
    };
    const [expected, got] = [await resultsOn(plain), await resultsOn(device)];
    got.values.forEach((values, i) => {
      const message = `${what}, result ${i}: ${got.steps.join('; ')}`;
      t.equal(differs(values, expected.values[i] ?? [], tolerance), undefined, message);
    });
    return got.steps;
  };
}
