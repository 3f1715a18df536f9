import fc from 'fast-check';
import type { NetSizes } from './net.js';

/** What takes time. Several may go on side by side. `device` and `model` are numbers of the life's. */
export type Call =
  | {
      readonly kind: 'fit';
      readonly model: number;
      readonly device: number;
      readonly epochs: number;
      readonly batchSize: number;
      readonly seed: number;
    }
  | {
      readonly kind: 'predict';
      readonly model: number;
      readonly device: number;
      readonly rows: number;
      readonly batchSize: number;
    }
  | { readonly kind: 'evaluate'; readonly model: number; readonly device: number }
  /** Keeps what it reads for `load`. */
  | { readonly kind: 'save'; readonly model: number }
  /** A device goes, so many milliseconds after the others began. */
  | { readonly kind: 'lose'; readonly device: number; readonly after: number };

/** What is done to a model at once. */
export type Change =
  | { readonly kind: 'load'; readonly model: number; readonly slot: number }
  | {
      readonly kind: 'mode';
      readonly model: number;
      readonly path: '' | 'body' | 'body.dropout';
      readonly isTraining: boolean;
    }
  | { readonly kind: 'freeze'; readonly model: number; readonly path: string; readonly isFrozen: boolean }
  | { readonly kind: 'newHead'; readonly model: number }
  | { readonly kind: 'dispose'; readonly model: number; readonly path: '' | 'body' | 'head' };

/** Some models, and what is done to them, one step after the other: a change, or calls that are waited for together. */
export interface Life {
  readonly models: readonly NetSizes[];
  readonly momentum: number;
  readonly steps: readonly (Change | readonly Call[])[];
}

const model = fc.nat(1);

/** Random lives of two models on so many devices, of which some may be lost. */
export function randomLives(devices: number, losable: readonly number[]): fc.Arbitrary<Life> {
  const device = fc.nat(devices - 1);
  const predict = fc.record({
    kind: fc.constant('predict' as const),
    model,
    device,
    rows: fc.integer({ min: 1, max: 13 }),
    batchSize: fc.constantFrom(256, 4, 1),
  });
  const evaluate = fc.record({ kind: fc.constant('evaluate' as const), model, device });
  const save = fc.record({ kind: fc.constant('save' as const), model });
  const fit = fc.record({
    kind: fc.constant('fit' as const),
    model,
    device,
    epochs: fc.constantFrom(1, 2, 3),
    batchSize: fc.constantFrom(4, 5, 13, 32),
    seed: fc.nat(2),
  });
  const changes: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constant('load' as const), model, slot: fc.nat(3) }),
    fc.record({
      kind: fc.constant('mode' as const),
      model,
      path: fc.constantFrom('', 'body', 'body.dropout'),
      isTraining: fc.boolean(),
    }),
    fc.record({
      kind: fc.constant('freeze' as const),
      model,
      path: fc.constantFrom('', 'body', 'head', 'body.fc.weight', 'head.bias'),
      isFrozen: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('newHead' as const), model }),
    fc.record({
      kind: fc.constant('dispose' as const),
      model,
      path: fc.constantFrom<('' | 'body' | 'head')[]>('head', 'head', 'body', ''),
    }),
  );
  const lose = losable.map((index) => ({
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('lose' as const), device: fc.constant(index), after: fc.nat(20) }),
  }));
  const alone: fc.Arbitrary<Call> = fc.oneof(
    { weight: 3, arbitrary: fit },
    { weight: 2, arbitrary: fc.oneof(predict, evaluate, save) },
    ...lose,
  );
  const sideBySide = fc.array(
    fc.oneof(
      { weight: 2, arbitrary: fit },
      { weight: 1, arbitrary: predict },
      { weight: 1, arbitrary: evaluate },
      { weight: 1, arbitrary: save },
      ...lose,
    ),
    { minLength: 2, maxLength: 4 },
  );
  return fc.record({
    models: fc.tuple(sizes, sizes),
    momentum: fc.constantFrom(0, 0.5),
    steps: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.tuple(alone) },
        { weight: 2, arbitrary: changes },
        { weight: 3, arbitrary: sideBySide },
      ),
      { minLength: 1, maxLength: 12, size: 'max' },
    ),
  });
}

const sizes: fc.Arbitrary<NetSizes> = fc.record({
  hidden: fc.constantFrom(4, 2, 5, 8, 17),
  dropout: fc.constantFrom(0.5, 0, 0.25),
});

/** Lives with a step or a call less. */
export function* smallerLives(life: Life): Generator<Life> {
  for (const [i, step] of life.steps.entries()) {
    yield { ...life, steps: life.steps.toSpliced(i, 1) };
    if (!isCalls(step) || step.length === 1) continue;
    for (let k = 0; k < step.length; k++) yield { ...life, steps: life.steps.with(i, step.toSpliced(k, 1)) };
  }
}

/** Whether a step is calls, rather than a change. */
export function isCalls(step: Change | readonly Call[]): step is readonly Call[] {
  return Array.isArray(step);
}
