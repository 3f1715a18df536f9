import test from 'tape';
import {
  type Callback,
  evaluate,
  fit,
  type FitOptions,
  type History,
  OptionError,
  predict,
  SGD,
  TrainingError,
  type TrainingRun,
} from '../../lib/index.js';
import { testOnDevices } from '../support/devices.js';
import { rejects } from '../support/errors.js';
import { clouds, net, weightsOf } from './examples.js';

const sgd = (learningRate = 0.1): SGD => new SGD({ learningRate, momentum: 0.9 });

/** 20 rows in batches of 8, 8 and 4: three steps an epoch. */
const data = clouds(20, 6);

interface Trained {
  readonly history: History;
  readonly weights: readonly Float32Array[];
}

async function train(options: Partial<FitOptions>): Promise<Trained> {
  const model = net(8, 0.5);
  const history = await fit(model, data, { epochs: 3, batchSize: 8, seed: 3, optimizer: sgd(), ...options });
  return { history, weights: await weightsOf(model) };
}

/** All but the times. */
const numbersOf = ({ history, weights }: Trained): unknown => [{ ...history, seconds: [] }, weights];

/** A callback that writes down what it is called for. */
function recorder(events: string[], name = ''): Required<Pick<Callback, 'onTrainBegin' | 'onTrainEnd'>> & Callback {
  const note = (what: string, { epoch, step }: TrainingRun): void =>
    void events.push(`${name}${what} ${epoch}.${step}`);
  return {
    onTrainBegin: (run) => {
      note('train', run);
    },
    onEpochBegin: (run) => {
      note('epoch', run);
    },
    onStepEnd: (run) => {
      note('step', run);
    },
    onEpochEnd: (run) => {
      note('/epoch', run);
    },
    onTrainEnd: (run) => {
      note('/train', run);
    },
  };
}

test('callbacks are called in their order, and waited for', async (t) => {
  const events: string[] = [];
  const slow: Callback = {
    ...recorder(events, 'a '),
    onEpochEnd: async ({ epoch }, result) => {
      await new Promise((resume) => setTimeout(resume, 10));
      events.push(`a /epoch ${epoch} ${result.epoch}`);
    },
  };
  const rare: Callback = { ...recorder(events, 'b '), everySteps: 2 };
  await train({ epochs: 2, callbacks: [slow, rare], onEpochEnd: ({ epoch }) => void events.push(`own ${epoch}`) });
  t.deepEqual(events, [
    ...['a train 0.0', 'b train 0.0'],
    ...['a epoch 1.0', 'b epoch 1.0', 'a step 1.1', 'a step 1.2', 'b step 1.2', 'a step 1.3'],
    ...['a /epoch 1 1', 'b /epoch 1.3', 'own 1'],
    ...['a epoch 2.3', 'b epoch 2.3', 'a step 2.4', 'b step 2.4', 'a step 2.5', 'a step 2.6', 'b step 2.6'],
    ...['a /epoch 2 2', 'b /epoch 2.6', 'own 2', 'a /train 2.6', 'b /train 2.6'],
  ]);
});

testOnDevices('however an epoch is cut into stretches, results are the same, bit for bit', async (t, device) => {
  const validation = clouds(6, 6, 2);
  const expected = numbersOf(await train({ device, validation }));
  for (const everySteps of [1, 2, 3, 4, 7, 100]) {
    const steps: number[] = [];
    const callbacks = [{ everySteps, onStepEnd: ({ step }: TrainingRun) => void steps.push(step) }];
    t.deepEqual(numbersOf(await train({ device, validation, callbacks })), expected, `every ${everySteps}`);
    t.deepEqual(
      steps,
      [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((step) => step % everySteps === 0),
    );
  }
  const growing = {
    everySteps: 1,
    onStepEnd: () => {
      growing.everySteps *= 2;
    },
  };
  t.deepEqual(numbersOf(await train({ device, validation, callbacks: [growing] })), expected);
  t.equal(growing.everySteps, 16, 'called after steps 1, 2, 4 and 8');
});

testOnDevices('what a callback measures of an epoch so far disturbs nothing', async (t, device) => {
  const expected = numbersOf(await train({ device }));
  const seen: unknown[] = [];
  const measured = await train({
    device,
    callbacks: [
      {
        onEpochBegin: async (run) => {
          const { loss } = await run.measured();
          t.ok(Number.isNaN(loss));
        },
        onStepEnd: async (run) => {
          const { loss, accuracy } = await run.measured();
          seen.push([loss, accuracy]);
          await predict(run.model, data, { device });
          await evaluate(run.model, data, { device });
        },
      },
    ],
  });
  t.deepEqual(numbersOf(measured), expected);
  const { loss, accuracy } = measured.history;
  const ends = [2, 5, 8].map((i) => seen[i]);
  t.deepEqual(
    ends,
    loss.map((value, i) => [value, accuracy[i]]),
    'at the last step of an epoch, that is what it comes to',
  );
});

test('a run knows where it stands', async (t) => {
  const validation = clouds(6, 6, 2);
  const lengths: number[] = [];
  let run: TrainingRun | undefined;
  const { history } = await train({
    epochs: 2,
    validation,
    callbacks: [
      {
        onTrainBegin: (begun) => {
          run = begun;
          t.deepEqual([begun.epochs, begun.stepsPerEpoch, begun.epoch, begun.step], [2, 3, 0, 0]);
          t.deepEqual(begun.names, ['loss', 'accuracy', 'validationLoss', 'validationAccuracy']);
          t.ok(begun.optimizer instanceof SGD && begun.model.isBuilt);
        },
        onEpochBegin: ({ results }) => void lengths.push(results.length),
        onEpochEnd: ({ results }, result) => {
          lengths.push(results.length);
          t.deepEqual(results.at(-1), result);
        },
      },
    ],
  });
  t.deepEqual(lengths, [0, 1, 1, 2]);
  t.deepEqual(
    run?.results.map(({ validationAccuracy }) => validationAccuracy),
    history.validationAccuracy,
  );
  t.deepEqual([run?.isStopped, run?.isPaused, run?.error], [false, false, undefined]);
});

testOnDevices('a training that a callback stops ends there, in each place', async (t, device) => {
  const expected = (await train({ device })).history;
  const stopped = async (callback: Callback): Promise<[epochs: number, steps: number, events: string[]]> => {
    const events: string[] = [];
    let run: TrainingRun | undefined;
    const last: Callback = { onTrainEnd: (ended) => void (run = ended) };
    const { history } = await train({ device, callbacks: [callback, { ...recorder(events), ...last }] });
    t.deepEqual(history.loss, expected.loss.slice(0, history.loss.length));
    t.deepEqual([run?.isStopped, run?.stopReason], [true, 'enough']);
    return [history.loss.length, run?.step ?? NaN, events];
  };
  const stop = (run: TrainingRun): void => {
    run.stop('enough');
    run.stop('again');
  };
  const at =
    (what: 'epoch' | 'step', where: number) =>
    (run: TrainingRun): void => {
      if (run[what] === where) stop(run);
    };
  t.deepEqual(await stopped({ onTrainBegin: stop }), [0, 0, ['train 0.0']]);
  t.deepEqual((await stopped({ onEpochBegin: at('epoch', 2) })).slice(0, 2), [1, 3]);
  t.deepEqual((await stopped({ onStepEnd: at('step', 4) })).slice(0, 2), [1, 4]);
  t.deepEqual((await stopped({ onStepEnd: at('step', 6) })).slice(0, 2), [2, 6], 'the last step of an epoch');
  t.deepEqual((await stopped({ onEpochEnd: at('epoch', 2) })).slice(0, 2), [2, 6]);
  const { history } = await train({ device, callbacks: [{ onTrainEnd: stop }] });
  t.deepEqual(history.loss, expected.loss, 'too late');
});

testOnDevices('a training that was paused goes on as if nothing had been', async (t, device) => {
  const expected = numbersOf(await train({ device }));
  const places: readonly (keyof Callback)[] = ['onTrainBegin', 'onEpochBegin', 'onStepEnd', 'onEpochEnd'];
  for (const place of places) {
    const pauses: Promise<void>[] = [];
    const pausing = (run: TrainingRun): void => {
      run.pause();
      t.ok(run.isPaused);
      const { step } = run;
      const stands = async (): Promise<void> => {
        await new Promise((resume) => setTimeout(resume, 20));
        t.equal(run.step, step, 'it stands still');
        run.resume();
      };
      pauses.push(stands());
    };
    const trained = await train({ device, callbacks: [{ everySteps: 4, [place]: pausing }] });
    t.deepEqual(numbersOf(trained), expected, place);
    t.ok(pauses.length >= 1);
    await Promise.all(pauses); // behind the last epoch there is nothing to wait for
    t.ok(Math.max(...trained.history.seconds) < 5, 'pauses are no time of an epoch');
  }
});

test('a pause and a stop from outside come in the middle of an epoch', async (t) => {
  const large = clouds(4000, 100);
  const options = { batchSize: 8, epochs: 2, seed: 3 };
  const whole = net(32, 0.5);
  const expected = await fit(whole, large, { ...options, optimizer: sgd(0.01) });
  const events: string[] = [];
  const model = net(32, 0.5);
  let run: TrainingRun | undefined;
  const training = fit(model, large, {
    ...options,
    optimizer: sgd(0.01),
    callbacks: [{ onTrainBegin: (begun) => void (run = begun) }],
  });
  const later = (milliseconds: number): Promise<void> => new Promise((resume) => setTimeout(resume, milliseconds));
  // Turns of the event loop and its timers, which the training has too, on a machine that is busy with something else as well.
  const turns = async (count: number): Promise<void> => {
    for (let turn = 0; turn < count; turn++) await later(0);
  };
  for (let i = 0; i < 5; i++) {
    await later(10);
    run?.pause();
    await turns(30);
    const step = run?.step;
    await later(30);
    t.equal(run?.step, step, `still at step ${step}`);
    events.push(`${step}`);
    run?.resume();
    run?.resume();
  }
  const history = await training;
  t.deepEqual(history.loss, expected.loss);
  t.deepEqual(await weightsOf(model), await weightsOf(whole));
  run?.pause();
  run?.stop();

  const other = fit(net(32, 0.5), large, {
    ...options,
    epochs: 1000,
    optimizer: sgd(0.01),
    callbacks: [{ onTrainBegin: (begun) => void (run = begun) }],
  });
  await later(20);
  run?.pause();
  await later(50);
  run?.stop('while it is paused');
  t.ok((await other).loss.length < 1000);
});

test('a signal ends a training that is paused', async (t) => {
  const abort = new AbortController();
  let reason: unknown;
  const { history } = await train({
    signal: abort.signal,
    callbacks: [
      {
        onEpochEnd: (run) => {
          run.pause();
          setTimeout(() => {
            abort.abort('closed');
          }, 10);
        },
        onTrainEnd: (run) => void (reason = run.stopReason),
      },
    ],
  });
  t.deepEqual([history.loss.length, reason], [1, 'closed']);
});

testOnDevices('what a callback throws ends the training, and all that had begun is told', async (t, device) => {
  const places = ['onTrainBegin', 'onEpochBegin', 'onStepEnd', 'onEpochEnd', 'onTrainEnd'] as const;
  for (const place of places) {
    for (const failing of [
      () => {
        throw new Error('disk full');
      },
      () => Promise.reject(new Error('disk full')),
    ]) {
      const ends: unknown[] = [];
      const ending = (name: string): Callback => ({ onTrainEnd: ({ error }) => void ends.push(name, error) });
      const training = train({ device, callbacks: [ending('a'), { [place]: failing }, ending('b')] });
      await rejects(t, training, Error, 'disk full');
      const error = await training.catch((thrown: unknown) => thrown);
      const expected = { onTrainBegin: ['a', error], onTrainEnd: ['a', undefined, 'b', undefined] };
      t.deepEqual(
        ends,
        { ...{ onEpochBegin: 0, onStepEnd: 0, onEpochEnd: 0 }, ...expected }[place] || ['a', error, 'b', error],
      );
    }
  }
  const model = net(8, 0.5);
  const options = { epochs: 1, batchSize: 8, seed: 3, device };
  const bad = { onEpochBegin: () => Promise.reject(new Error('disk full')) };
  await rejects(t, fit(model, data, { ...options, optimizer: sgd(), callbacks: [bad] }), Error, 'disk full');
  t.equal((await fit(model, data, { ...options, optimizer: sgd() })).loss.length, 1, 'the model can be trained again');
});

test('the first of two errors is told', async (t) => {
  const events: string[] = [];
  const failing = (what: string): Callback => ({
    onEpochEnd: () => {
      throw new Error(`${what} failed`);
    },
    onTrainEnd: () => {
      events.push(what);
      throw new Error(`${what} failed at the end`);
    },
  });
  await rejects(t, train({ callbacks: [failing('first'), failing('second')] }), Error, 'first failed');
  t.deepEqual(events, ['first', 'second']);
});

test('a loss that is not finite is noticed by whoever measures, and told to onTrainEnd', async (t) => {
  const optimizer = new SGD({ learningRate: 1e30 });
  const errors: unknown[] = [];
  const watching: Callback = {
    onStepEnd: async (run) => {
      await run.measured();
    },
    onTrainEnd: ({ error, step }) => void errors.push(error, step),
  };
  const training = train({ optimizer, callbacks: [watching] });
  await rejects(t, training, TrainingError, 'not finite', 'step');
  const error = await training.catch((thrown: unknown) => thrown);
  t.ok(error instanceof TrainingError);
  t.deepEqual(errors, [error, error instanceof TrainingError && error.step]);
});

testOnDevices('trainings side by side have runs of their own', async (t, device) => {
  const expected = numbersOf(await train({ device }));
  const runs = new Set<TrainingRun>();
  const shared: Callback = { onStepEnd: (run) => void runs.add(run) };
  const both = await Promise.all([1, 2].map(() => train({ device, callbacks: [shared] })));
  t.deepEqual(both.map(numbersOf), [expected, expected]);
  t.equal(runs.size, 2);
  t.deepEqual(numbersOf(await train({ device, callbacks: [shared] })), expected, 'and one after another');
});

test('no epochs: the training begins and ends', async (t) => {
  const events: string[] = [];
  await train({ epochs: 0, callbacks: [recorder(events)] });
  t.deepEqual(events, ['train 0.0', '/train 0.0']);
});

test('what is no callback is refused before anything is trained', async (t) => {
  const optimizer = sgd();
  for (const [callbacks, ...words] of [
    [{}, 'callbacks must be an array'],
    [[null], 'callbacks must be an array of callbacks'],
    [[() => 1], 'callbacks must be an array of callbacks'],
    [[{ onEpochEnd: 3 }], 'callbacks[0]: onEpochEnd must be a function, found 3'],
    [[{}, { onEpochend: () => 1 }], 'callbacks[1] has onEpochend', "did you mean 'onEpochEnd'"],
    [[{ everySteps: 0 }], 'everySteps must be a whole number of 1 or more, found 0'],
  ] as const) {
    await rejects(t, train({ optimizer, callbacks: callbacks as never }), OptionError, ...words);
  }
  t.equal(optimizer.step, 0);
  class Counting {
    readonly path = 'file';
    calls = 0;
    onEpochEnd(): void {
      this.calls++;
    }
  }
  const counting = new Counting();
  await train({ optimizer, callbacks: [counting] });
  t.equal(counting.calls, 3, 'an object of a class, with things of its own');
});
