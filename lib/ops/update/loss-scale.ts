import { commonWgsl, lossScaleWgsl } from '../../generated/wgsl.js';
import { defineOperation } from '../../graph/define.js';
import { Uniforms } from '../../graph/launch.js';
import { f32, u32 } from '../../graph/operands.js';
import { memberPlace, SKIPPED } from './optimizer-state.js';

/** Between what a scale stays. */
const [LEAST, MOST] = [1, 2 ** 24];

/**
 * Moves the scale of a loss on by a step: twice as large after `interval` good steps in a row, those in which `total` is
 * finite; half as large after one that is none.
 */
export const moveLossScale = defineOperation<{ readonly interval: number }>()({
  name: 'moveLossScale',
  inputs: { scale: f32(), goodSteps: f32(), total: f32() },
  outputs: { scale: f32(), goodSteps: f32() },
  reference({ scale, goodSteps, total }, _, { interval }) {
    const isGood = Number.isFinite(total.at(0));
    const steps = goodSteps.at(0) + 1;
    const isGrowing = isGood && steps >= interval;
    const next = scale.at(0) * (isGrowing ? 2 : isGood ? 1 : 0.5);
    scale.set(0, Math.min(Math.max(next, LEAST), MOST));
    goodSteps.set(0, isGood && !isGrowing ? steps : 0);
  },
  kernel: ({ attributes: { interval } }) => [
    {
      kernel: { name: 'moveLossScale', code: commonWgsl + lossScaleWgsl, entryPoint: 'moveLossScale' },
      bindings: ['scale', 'goodSteps', 'total'],
      uniforms: new Uniforms().f32(interval).u32(0).bytes(),
      uniformsAt: 3,
      workgroups: [1, 1, 1],
    },
  ],
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [1, 2000].map((interval) => ({
    inputs: {
      scale: { shape: [], fill: 'positive' },
      goodSteps: { shape: [], fill: 'positive' },
      total: { shape: [] },
    },
    attributes: { interval },
  })),
});

/** Marks the state of an optimizer (optimizer-state.ts), so that its parameters stay as they are in this step, unless `total` is finite. */
export const skipUnlessFinite = defineOperation<{ readonly members: number }>()({
  name: 'skipUnlessFinite',
  inputs: { state: u32('...state'), total: f32() },
  outputs: { state: u32('...state') },
  reference({ state, total }, _, { members }) {
    if (Number.isFinite(total.at(0))) return;
    for (let member = 0; member < members; member++) state.set(memberPlace(member), SKIPPED);
  },
  kernel: ({ attributes: { members } }) => [
    {
      kernel: { name: 'skipUnlessFinite', code: commonWgsl + lossScaleWgsl, entryPoint: 'skipUnlessFinite' },
      bindings: [
        { operand: 'state', at: 0 },
        { operand: 'total', at: 2 },
      ],
      uniforms: new Uniforms().f32(0).u32(members).bytes(),
      uniformsAt: 3,
      workgroups: [1, 1, 1],
    },
  ],
  gradient: { none: 'it changes state' },
  tolerance: { absolute: 0, relative: 0 },
  cases: [1, 70].map((members) => ({
    inputs: { state: { shape: [memberPlace(members) + 2], dtype: 'u32', fill: { below: 9 } }, total: { shape: [] } },
    attributes: { members },
  })),
});

export const lossScaleOperations = [moveLossScale, skipUnlessFinite];
