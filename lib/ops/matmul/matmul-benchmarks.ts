import type { CaseInput } from '../../graph/operation.js';
import type { MatmulAttributes } from './matmul-sizes.js';

/** Name, M, N, K, which operand is stored transposed, and which as 16-bit floats. */
type MatmulRow = readonly [
  name: string,
  M: number,
  N: number,
  K: number,
  transposed?: 'A' | 'B' | '',
  half?: 'B' | 'both',
];

/**
 * C [M, N] = A [M, K] · B [K, N]. Dense layers multiply by the transpose of their weight [out, in]; their weight gradient
 * has the batch as K and A transposed. A 1x1 convolution of H · W pixels is a product of M = H · W.
 */
const ROWS: readonly MatmulRow[] = [
  // MyNet: 2352 → 200 → 2, batches of 32; MyNet2: 2352 → 200 → 100 → 2
  ['mynetDense1', 32, 200, 2352, 'B'],
  ['mynetDense1WeightGradient', 200, 2352, 32, 'A'],
  ['mynetDense2', 32, 2, 200, 'B'],
  ['mynetDense2InputGradient', 32, 200, 2],
  ['mynetDense2WeightGradient', 2, 200, 32, 'A'],
  ['mynet2Dense2', 32, 100, 200, 'B'],
  ['mynet2Dense2InputGradient', 32, 200, 100],
  ['mynet2Dense2WeightGradient', 100, 200, 32, 'A'],
  ['mynet2Dense3', 32, 2, 100, 'B'],
  // ResNet-50's 1x1 layers, one picture of 224 x 224: pixels 56², 28², 14², 7²
  ['resnet50Conv2Reduce', 3136, 64, 256],
  ['resnet50Conv2Expand', 3136, 256, 64],
  ['resnet50Conv3Reduce', 784, 128, 512],
  ['resnet50Conv3Expand', 784, 512, 128],
  ['resnet50Conv4Reduce', 196, 256, 1024],
  ['resnet50Conv4Expand', 196, 1024, 256],
  ['resnet50Conv4ExpandWeightGradientOf32', 1024, 256, 6272, 'A'],
  ['resnet50Conv5Reduce', 49, 512, 2048],
  ['resnet50Conv5Expand', 49, 2048, 512],
  ['resnet50Dense', 1, 1000, 2048, 'B'],
  // MobileNet's (v1) pointwise layers, one picture of 224 x 224
  ['mobilenetPointwise1', 12_544, 64, 32],
  ['mobilenetPointwise3', 3136, 128, 128],
  ['mobilenetPointwise5', 784, 256, 256],
  ['mobilenetPointwise7', 196, 512, 512],
  ['mobilenetPointwise13', 49, 1024, 1024],
  ['mobilenetDense', 1, 1000, 1024, 'B'],
  // vectors
  ['gemv', 4096, 1, 1024],
  ['vectorMatrix', 1, 4096, 1024],
  ['dot', 1, 1, 262_144],
  ['outer', 1024, 1024, 1],
  // cubes, and one that no tile divides
  ['cube512', 512, 512, 512],
  ['ragged509', 509, 509, 509],
  ['cube1024', 1024, 1024, 1024],
  ['cube2048', 2048, 2048, 2048],
  // a weight of 16-bit floats, whose bytes bound it, and a cube of them, whose flop do
  ['mobilenetDenseHalf', 1, 1000, 1024, 'B', 'B'],
  ['cube1024Half', 1024, 1024, 1024, '', 'both'],
];

/** What of products is timed: those of real nets, vectors, cubes. */
export const matmulBenchmarks: Readonly<
  Record<string, { readonly inputs: Readonly<Record<'a' | 'b', CaseInput>>; readonly attributes: MatmulAttributes }>
> = Object.fromEntries(
  ROWS.map(([name, M, N, K, transposed, half]) => [
    name,
    {
      inputs: {
        a: { shape: transposed === 'A' ? [K, M] : [M, K], dtype: half === 'both' ? 'f16' : 'f32' },
        b: { shape: transposed === 'B' ? [N, K] : [K, N], dtype: half ? 'f16' : 'f32' },
      },
      attributes: { transposeA: transposed === 'A', transposeB: transposed === 'B' },
    },
  ]),
);
