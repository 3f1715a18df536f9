import { compile } from '../../compile.js';
import type { Device } from '../../device/device.js';
import { matmul } from '../../ops/matmul/matmul.js';
import { RandomStream } from '../../random.js';
import { Variable } from '../../variable.js';

/** How fast a matrix product is. */
export interface ProductTime {
  /** Rows and columns of both matrices. */
  readonly size: number;
  /** Of one product, in the fastest of a few runs. */
  readonly milliseconds: number;
  /** 2 · size³ operations in that time, in 10⁹ a second. */
  readonly gigaflops: number;
}

/** A run takes about so many milliseconds. */
const LONG_ENOUGH = 100;
const RUNS = 5;

/** Times the product of two square matrices f32: of 2048 rows on a GPU, else of 512. */
export async function timeProduct(device: Device): Promise<ProductTime> {
  const { kind, software } = device.info;
  const size = kind === 'webgpu' && !software ? 2048 : 512;
  const matrix = (name: string): Variable =>
    new Variable(name, new RandomStream(1, name).normal(size * size), [size, size]);
  const [a, b] = [matrix('a'), matrix('b')];
  const product = compile(() => matmul(a.value, b.value), { device });
  try {
    const millisecondsOf = async (count: number): Promise<number> => {
      const start = performance.now();
      await product.repeat(count);
      await device.finished();
      return performance.now() - start;
    };
    await millisecondsOf(1); // builds and loads the plan
    const count = Math.max(1, Math.round(LONG_ENOUGH / (await millisecondsOf(1))));
    let milliseconds = Infinity;
    for (let i = 0; i < RUNS; i++) milliseconds = Math.min(milliseconds, (await millisecondsOf(count)) / count);
    return { size, milliseconds, gigaflops: (2 * size ** 3) / (milliseconds * 1e6) };
  } finally {
    product.dispose();
    a.dispose();
    b.dispose();
  }
}
