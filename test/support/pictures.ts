/** Pictures and upstream gradients that PyTorch was given for the values in the tests of pooling and resizing. */
import type test from 'tape';
import type { Device } from '../../lib/device/device.js';
import { gradient, run, type Shape, tensor, type Tensor } from '../../lib/index.js';
import { sizeOf } from '../../lib/shape.js';
import { differs } from './close.js';
import { cpu, simd } from './devices.js';

/** Element i is (37 i mod 101) / 8 - 6: no two near each other are equal. */
export function picture(...shape: number[]): Tensor {
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 37) % 101) / 8 - 6),
    { shape },
  );
}

/** Element i is i mod 7 + 1. */
export function upstream(shape: Shape): Tensor {
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => (i % 7) + 1),
    { shape },
  );
}

/** A function of pictures has these outputs, and with {@link upstream} this gradient. */
export async function hasValues(
  t: test.Test,
  device: Device,
  [input, apply]: readonly [input: Tensor, apply: (input: Tensor) => Tensor],
  expected: { readonly output: readonly number[]; readonly gradient: readonly number[] },
): Promise<void> {
  const [output, slopes] = await run(
    () => {
      const made = apply(input);
      return [made, ...gradient(made, [input], upstream(made.shape))];
    },
    { device },
  );
  const tolerance = { absolute: 2e-6, relative: 1e-6 };
  t.equal(differs(await output.data(), expected.output, tolerance), undefined, 'output');
  const found = (await slopes?.data()) ?? new Float32Array(0);
  t.equal(differs(found, expected.gradient, tolerance), undefined, 'gradient');
}

/** On SIMD, a function of pictures has the gradient that it has on the references. */
export async function hasGradientOfReference(
  t: test.Test,
  [input, apply]: readonly [input: Tensor, apply: (input: Tensor) => Tensor],
  message: string,
): Promise<void> {
  const [expected, found] = await Promise.all(
    [cpu, simd].map(async (device) => {
      const [slopes] = await run(
        () => {
          const output = apply(input);
          return gradient(output, [input], upstream(output.shape));
        },
        { device },
      );
      return (await slopes?.data()) ?? new Float32Array(0);
    }),
  );
  t.ok(expected && found, message);
  if (expected && found) t.equal(differs(found, expected, { absolute: 1e-5, relative: 1e-5 }), undefined, message);
}
