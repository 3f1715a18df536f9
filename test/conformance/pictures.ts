import { DataError, type Device, divide, run, tensor, type Tensor, transpose } from '../../lib/index.js';
import type { Attributes } from './attributes.js';
import type { Comparison, Values } from './compare.js';
import type { LoadedCase } from './loaded-case.js';

/** WGSL divides within 2.5 units in the last place. */
const DIVISION = { rtol: 2.5 * 2 ** -23, atol: 0 };

/** `mynet_data`: the floats are the bytes / 255, moved from row, column, channel to channel, row, column. */
export async function runData(loaded: LoadedCase, device: Device): Promise<Comparison[]> {
  const comparisons: Comparison[] = [];
  for (const bytes of loaded.names('input').filter((name) => name.endsWith('.u8'))) {
    const part = bytes.replace(/\.u8$/, '');
    const pixels = loaded.tensor(bytes);
    const result = await run(() => transpose(divide(pixels, 255), [0, 3, 1, 2]), { device });
    const got = { shape: result.shape, data: await result.data() };
    comparisons.push({ name: `${part}.x`, got, expected: picturesOf(loaded, part), ...DIVISION });
  }
  return comparisons;
}

/** The pictures `train.x` or `test.x` [N, C, H, W]; made of the bytes `train.u8` or `test.u8` where they are not stored. */
export function picturesOf(data: LoadedCase, part: string): Values {
  if (data.has(`${part}.x`)) return data.values(`${part}.x`);
  const { shape, data: bytes } = data.values(`${part}.u8`);
  const [N, H, W, C] = shape;
  if (N === undefined || H === undefined || W === undefined || C === undefined || shape.length > 4) {
    throw new DataError(`${part}.u8 has the shape [${shape.join(', ')}], expected [pictures, rows, columns, channels]`);
  }
  const channels = H * W * C;
  const pixels = Float32Array.from({ length: N * channels }, (_, i) => {
    const [picture, inside] = [Math.floor(i / channels), i % channels];
    const [channel, place] = [Math.floor(inside / (H * W)), inside % (H * W)];
    return (bytes[picture * channels + place * C + channel] ?? NaN) / 255;
  });
  return { shape: [N, C, H, W], data: pixels };
}

/** Pictures as bytes [N, height, width, channels]. */
export function bytesOf(loaded: LoadedCase, name: string): Values {
  const layout = loaded.attributes.choice('u8_layout', ['NHWC'], 'NHWC');
  const { shape, data } = loaded.values(name);
  if (shape.length === 4) return { shape, data };
  throw new DataError(`${name} has the shape [${shape.join(', ')}], expected ${layout}`);
}

/** Bytes as the net of a case takes them: by its attribute `x`, divided by 255 or as they are. */
export function inputFrom({ shape, data }: Values, attributes: Attributes): Tensor {
  const how = attributes.text('x');
  const isDivided = /^u8 \/ 255\b/.test(how);
  if (!isDivided && !/^u8 as float32\b/.test(how)) throw new DataError(`what x is, is not known: ${how}`);
  return tensor(
    Float32Array.from(data, (byte) => (isDivided ? byte / 255 : byte)),
    { shape },
  );
}
