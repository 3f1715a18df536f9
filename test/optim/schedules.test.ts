import test from 'tape';
import {
  cosineDecay,
  exponentialDecay,
  oneCycle,
  oneCycleMomentum,
  OptionError,
  type Schedule,
  stepDecay,
  warmUp,
} from '../../lib/index.js';
import { refuses } from '../support/errors.js';

test('schedules have the values of torch.optim.lr_scheduler, 1.13', (t) => {
  const cycle = { steps: 7, rise: 0.5 };
  const cases: [name: string, schedule: Schedule, expected: readonly number[]][] = [
    ['StepLR(step_size=3, gamma=0.5)', stepDecay(0.1, { every: 3, factor: 0.5 }), [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]],
    ['ExponentialLR(0.9)', exponentialDecay(0.1, { factor: 0.9 }), [0.1, 0.09, 0.081, 0.0729, 0.06561]],
    [
      'CosineAnnealingLR(T_max=5)',
      cosineDecay(0.1, { steps: 5 }),
      [0.1, 0.09045084971874738, 0.06545084971874737, 0.03454915028125263, 0.009549150281252633, 0],
    ],
    [
      'CosineAnnealingLR(T_max=5, eta_min=0.02)',
      cosineDecay(0.1, { steps: 5, min: 0.02 }),
      [0.1, 0.0923606797749979, 0.0723606797749979, 0.0476393202250021, 0.0276393202250021, 0.02],
    ],
    ['LinearLR(total_iters=4)', warmUp(4, 0.1), [0.03333333333333333, 0.05, 0.06666666666666667, 0.08333333333333333, 0.1, 0.1]],
    ['LinearLR(start_factor=0.1, total_iters=3)', warmUp(3, 0.1, { startFactor: 0.1 }), [0.01, 0.04, 0.07, 0.1, 0.1]],
    [
      'SequentialLR([LinearLR(start_factor=0.25, total_iters=3), CosineAnnealingLR(4)], [3])',
      warmUp(3, cosineDecay(0.1, { steps: 4 }), { startFactor: 0.25 }),
      [0.025, 0.05, 0.075, 0.1, 0.08535533905932738, 0.05, 0.014644660940672627, 0],
    ],
    [
      'OneCycleLR(max_lr=0.1, total_steps=10)',
      oneCycle(0.1, { steps: 10 }),
      [
        ...[0.004, 0.052, 0.1, 0.09504846320134738, 0.0811745653949763, 0.06112620219362893],
        ...[0.03887419780637107, 0.0188258346050237, 0.004951936798652629, 4e-7],
      ],
    ],
    [
      'OneCycleLR(max_lr=0.0015, total_steps=10, pct_start=0.2)',
      oneCycle(0.0015, { steps: 10, rise: 0.2 }),
      [
        ...[6e-5, 0.0015, 0.0014429098777448675, 0.0012803309645695671, 0.0010370144262235204],
        ...[0.000750003, 0.0004629915737764798, 0.00021967503543043296, 5.709612225513248e-5, 6e-9],
      ],
    ],
    [
      'its momentum',
      oneCycleMomentum({ steps: 10 }),
      [
        ...[0.95, 0.9, 0.85, 0.854951556604879, 0.8688255099070633, 0.8888739533021842],
        ...[0.9111260466978157, 0.9311744900929366, 0.945048443395121, 0.95],
      ],
    ],
    [
      'OneCycleLR(max_lr=0.1, total_steps=7, pct_start=0.5, div_factor=10, final_div_factor=100): the top is between two steps',
      oneCycle(0.1, { ...cycle, startDivisor: 10, endDivisor: 100 }),
      [
        ...[0.01, 0.041094235253127366, 0.09140576474687263, 0.09505339495172584],
        ...[0.06116492065111791, 0.018906684397156263, 0.0001],
      ],
    ],
    [
      'its momentum, base_momentum=0.8, max_momentum=0.9',
      oneCycleMomentum({ ...cycle, min: 0.8, max: 0.9 }),
      [
        ...[0.9, 0.8654508497187474, 0.8095491502812526, 0.804951556604879],
        ...[0.8388739533021843, 0.8811744900929367, 0.9],
      ],
    ],
  ]; // prettier-ignore
  for (const [name, schedule, expected] of cases) {
    const found = expected.map((_, step) => schedule(step));
    t.ok(
      found.every((value, step) => Math.abs(value - (expected[step] ?? NaN)) < 1e-12),
      `${name}: ${found.join()}`,
    );
  }
  t.end();
});

test('behind its end a schedule stays where it is, and the shortest ones are finite', (t) => {
  t.deepEqual([5, 6, 1e9].map(cosineDecay(0.1, { steps: 5, min: 0.01 })), [0.01, 0.01, 0.01]);
  const cycle = oneCycle(0.1, { steps: 10 });
  t.deepEqual([10, 1e9].map(cycle), [cycle(9), cycle(9)]);
  t.equal(warmUp(3, exponentialDecay(0.1, { factor: 0.5 }))(5), 0.025);
  for (const steps of [1, 2, 3]) {
    for (const rise of [0.01, 1 / steps, 0.5, 0.99].filter((share) => share < 1)) {
      const rates = Array.from({ length: steps + 1 }, (_, step) => oneCycle(1, { steps, rise })(step));
      t.ok(
        rates.every((rate) => rate > 0 && rate <= 1),
        `${steps}, ${rise}: ${rates.join()}`,
      );
    }
  }
  t.equal(exponentialDecay(0.1, { factor: 0.25, every: 10 })(5), 0.05, "as Keras's, without staircase");
  t.end();
});

test('what is no schedule is refused', (t) => {
  for (const [make, ...words] of [
    [() => stepDecay(-1, { every: 3 }), 'stepDecay: the learning rate'],
    [() => stepDecay(0.1, { every: 0 }), 'every'],
    [() => stepDecay(0.1, {} as never), 'every'],
    [() => exponentialDecay(0.1, { factor: NaN }), 'factor'],
    [() => exponentialDecay(0.1, { factor: 0.5, gamma: 1 } as never), "unknown option 'gamma'"],
    [() => cosineDecay(0.1, { steps: 1.5 }), 'steps'],
    [() => cosineDecay(0.1, { steps: 3, min: -1 }), 'min'],
    [() => warmUp(0, 0.1), 'warmUp: steps'],
    [() => warmUp(3, 'fast' as never), 'then must be a learning rate'],
    [() => warmUp(3, 0.1, { startFactor: 2 }), 'startFactor'],
    [() => oneCycle(NaN, { steps: 3 }), 'the largest learning rate'],
    [() => oneCycle(0.1, { steps: 3, rise: 1 }), 'rise'],
    [() => oneCycle(0.1, { steps: 3, startDivisor: 0 }), 'startDivisor'],
    [() => oneCycle(0.1, 10 as never), 'options must be an object'],
    [() => oneCycleMomentum({ steps: 3, max: 1 }), 'max'],
  ] as const) {
    refuses(t, make, OptionError, ...words);
  }
  t.end();
});
