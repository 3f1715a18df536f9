import type { Variable } from '../variable.js';
import type { LearningRate, UpdateRule } from './groups.js';

/** Parameters that were met together, under one learning rate: their state, and what the host knows of it. */
export interface Members {
  readonly state: Variable;
  readonly learningRate: LearningRate;
  readonly rates: Float32Array;
  readonly steps: number[];
  replays: number;
}

/** A parameter that an optimizer has met. */
export interface TrackedParameter {
  readonly rule: UpdateRule;
  readonly members: Members;
  /** Which of them it is. */
  readonly member: number;
  /** The slots of the rule, one after the other; undefined where it has none. */
  readonly buffer: Variable | undefined;
}
