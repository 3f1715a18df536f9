import { elementAt } from '../../element-at.js';
import { commonWgsl, mixupPartnersWgsl, philoxWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { ceilDivide, foldWorkgroups, Uniforms } from '../../graph/launch.js';
import { f32, i32, u32 } from '../../graph/operands.js';
import { philox4x32, streamOf, unitFloat } from '../../random.js';

type MixupAttributes = {
  /** Rows of the data set. */
  readonly count: number;
  /** As of `batchRows`. */
  readonly taken: number;
};

const MIXUP_STREAM = streamOf('augment.mixup');

/**
 * For each row of a batch another one of the data set, and how much of the mixture of the two is its own, drawn by Philox
 * from the seed, the epoch and the row. The state is that of a data loader. `quantiles` are those of the share's
 * distribution, evenly from 0 to 1: there is a line from each to the next.
 */
export const mixupPartners = defineOperation<MixupAttributes>()({
  name: 'mixupPartners',
  inputs: { state: u32(4), rows: i32('B'), quantiles: f32('Q') },
  outputs: { partners: i32('B'), shares: f32('B') },
  reference({ state, rows, quantiles, partners, shares }, { B, Q }, { count, taken }) {
    for (let i = 0; i < B; i++) {
      const epoch = state.at(2) + Math.floor((state.at(3) + taken + i) / count);
      const words = philox4x32([0, epoch, MIXUP_STREAM, rows.at(i)], [state.at(0), state.at(1)]);
      partners.set(i, Math.floor((elementAt(words, 0) * count) / 2 ** 32));
      const place = unitFloat(elementAt(words, 1)) * (Q - 1);
      const lower = Math.min(Math.floor(place), Q - 2);
      shares.set(i, quantiles.at(lower) + (place - lower) * (quantiles.at(lower + 1) - quantiles.at(lower)));
    }
  },
  kernel: ({ sizes: { B, Q }, attributes: { count, taken } }) => [
    {
      kernel: {
        name: 'mixupPartners',
        code: commonWgsl + philoxWgsl + mixupPartnersWgsl,
        entryPoint: 'mixupPartners',
      },
      constants: { MIXUP_STREAM },
      bindings: ['state', 'rows', 'quantiles', 'partners', 'shares'],
      uniforms: new Uniforms().u32(B, Q, count, taken).bytes(),
      workgroups: foldWorkgroups(ceilDivide(B, 64)),
    },
  ],
  gradient: { none: 'they are drawn' },
  tolerance: { absolute: 1e-6, relative: 1e-6 },
  cases: (
    [
      [1, 1, 2],
      [9, 5, 3],
      [100, 65, 257],
      [4, 0, 2],
    ] as const
  ).map(([count, batch, quantiles]) => ({
    inputs: {
      state: { shape: [4], dtype: 'u32', fill: { below: count } },
      rows: { shape: [batch], dtype: 'i32', fill: { below: count } },
      quantiles: { shape: [quantiles], fill: 'unit' },
    },
    attributes: { count, taken: count === 9 ? 7 : 0 },
  })),
  cost: () => ({ flop: 0 }),
});
