import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import test from 'tape';
import {
  Adam,
  type Callback,
  DataError,
  fit,
  type FitOptions,
  OptionError,
  SGD,
  stateOf,
  TrainingError,
} from '../../../lib/index.js';
import {
  checkpoints,
  type CheckpointsOptions,
  newestTrainingCheckpoint,
  readTrainingCheckpoint,
  saveWeights,
} from '../../../lib/node/index.js';
import { rejects } from '../../support/errors.js';
import { asOrdinaryUser, inFolder } from '../../support/special-files.js';
import { clouds, net } from '../../train/examples.js';

/** 20 rows in batches of 8, 8 and 4: three steps an epoch. */
const data = clouds(20, 6);

interface Trained {
  readonly history: unknown;
  readonly state: unknown;
}

async function train(options: Partial<FitOptions>): Promise<Trained> {
  const model = net(8, 0.5);
  const optimizer = new Adam({ learningRate: 0.01 });
  const { seconds, ...history } = await fit(model, data, { epochs: 4, batchSize: 8, optimizer, ...options });
  return { history: { ...history, epochs: seconds.length }, state: await stateOf(model) };
}

const saving = (options: CheckpointsOptions): Partial<FitOptions> => ({ callbacks: [checkpoints(options)] });

test('checkpoints are written after steps, after epochs and at the end, and the newest ones are kept', async (t) => {
  await inFolder(async (folder) => {
    const filesOf = async (name: string, options: Omit<CheckpointsOptions, 'directory'>): Promise<string[]> => {
      const directory = join(folder, 'deep', name);
      await train(saving({ directory, ...options }));
      return (await readdir(directory)).sort();
    };
    const at = (...steps: number[]): string[] => steps.map((step) => `step-${step}.safetensors`).sort();
    t.deepEqual(await filesOf('epochs', {}), at(9, 12));
    t.deepEqual(await filesOf('steps', { everySteps: 5 }), at(10, 12));
    t.deepEqual(
      await filesOf('all steps', { everySteps: 1, keep: 20 }),
      at(...Array.from({ length: 12 }, (_, i) => i + 1)),
    );
    t.deepEqual(await filesOf('both', { everySteps: 5, everyEpochs: 2, keep: 3 }), at(6, 10, 12));
    t.deepEqual(await filesOf('one', { everyEpochs: 3, keep: 1 }), at(12));
  });
});

test('a training goes on from the newest checkpoint of a folder, and from each file, exactly', async (t) => {
  await inFolder(async (folder) => {
    const directory = join(folder, 'run');
    t.equal(await newestTrainingCheckpoint(directory), undefined, 'there is no such folder');
    const whole = await train({});
    const stopping: Callback = {
      onStepEnd: (run) => {
        if (run.step === 7) run.stop();
      },
    };
    await train({ callbacks: [stopping, checkpoints({ directory, everySteps: 2, keep: 10 })] });
    const newest = await newestTrainingCheckpoint(directory);
    t.equal(newest?.step, 7, 'it was written where the training was stopped');
    t.deepEqual(newest?.source, join(directory, 'step-7.safetensors'));
    for (const step of [2, 4, 6]) {
      const resume = await readTrainingCheckpoint(join(directory, `step-${step}.safetensors`));
      t.ok(isDeepStrictEqual(await train({ resume }), whole), `from step ${step}`);
    }
    const again = { resume: newest, ...saving({ directory, everySteps: 4 }) };
    t.ok(isDeepStrictEqual(await train(again), whole), 'from the newest one');
    t.deepEqual((await readdir(directory)).sort(), ['step-12.safetensors', 'step-8.safetensors']);
    const before = await readFile(join(directory, 'step-12.safetensors'));
    const ended = await newestTrainingCheckpoint(directory);
    t.ok(isDeepStrictEqual(await train({ resume: ended, ...saving({ directory }) }), whole), 'there was nothing to do');
    t.ok(before.equals(await readFile(join(directory, 'step-12.safetensors'))), 'and nothing was written');
    const longer = await train({ resume: ended, epochs: 6, ...saving({ directory }) });
    t.ok(isDeepStrictEqual(longer, await train({ epochs: 6 })), 'with more epochs than before');
  });
});

test('the best epoch is kept beside the newest ones', async (t) => {
  await inFolder(async (folder) => {
    const directory = join(folder, 'run');
    const options = { epochs: 8, optimizer: new SGD({ learningRate: 3 }), validation: clouds(10, 6, 2) };
    const model = net(8, 0.5);
    const history = await fit(model, data, {
      ...options,
      batchSize: 8,
      ...saving({ directory, keep: 1, keepBest: true }),
    });
    const best = history.validationLoss.indexOf(Math.min(...history.validationLoss));
    t.ok(best < 7, `epoch ${best + 1} of 8 was the best one`);
    t.deepEqual((await readdir(directory)).sort(), ['best.safetensors', 'step-24.safetensors']);
    const kept = await readTrainingCheckpoint(join(directory, 'best.safetensors'));
    t.deepEqual([kept.epochs, kept.step], [best + 1, 3 * (best + 1)]);
    const without = train(saving({ directory: join(folder, 'other'), keepBest: true }));
    await rejects(t, without, OptionError, 'checkpoints', '"validationLoss"');
  });
});

test('an aborted training is saved where it was, one that failed is not', async (t) => {
  await inFolder(async (folder) => {
    const directory = join(folder, 'run');
    const abort = new AbortController();
    const aborting: Callback = {
      onStepEnd: ({ step }) => {
        if (step === 5) abort.abort();
      },
    };
    await train({ signal: abort.signal, callbacks: [aborting, checkpoints({ directory })] });
    t.deepEqual((await readdir(directory)).sort(), ['step-3.safetensors', 'step-5.safetensors']);
    const other = join(folder, 'failed');
    const failing: Callback = {
      onEpochEnd: ({ epoch }) => {
        if (epoch === 2) throw new DataError('enough');
      },
    };
    const failed = train({ callbacks: [checkpoints({ directory: other, everySteps: 2 }), failing] });
    await rejects(t, failed, DataError, 'enough');
    t.deepEqual((await readdir(other)).sort(), ['step-4.safetensors', 'step-6.safetensors']);
    const broken = join(folder, 'broken');
    const diverging = { optimizer: new SGD({ learningRate: 1e30 }), ...saving({ directory: broken, everySteps: 2 }) };
    await rejects(t, train(diverging), TrainingError, 'not finite');
    t.deepEqual(await readdir(broken), [], 'no file with NaN in it');
  });
});

test('trainings write to folders of their own, side by side, and not over each other', async (t) => {
  await inFolder(async (folder) => {
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    const [first, second] = await Promise.all([
      train({ seed: 1, ...saving({ directory: a, everySteps: 1 }) }),
      train({ seed: 2, ...saving({ directory: b, everySteps: 1 }) }),
    ]);
    const shared = checkpoints({ directory: a });
    for (const [seed, directory, whole] of [
      [1, a, first],
      [2, b, second],
    ] as const) {
      const resume = await readTrainingCheckpoint(join(directory, 'step-11.safetensors'));
      t.ok(isDeepStrictEqual(await train({ seed, resume }), whole), `the one in ${directory}`);
    }
    await rejects(t, train({ callbacks: [shared] }), OptionError, a, 'another training, up to step 12', 'resume');
    const resume = await newestTrainingCheckpoint(b);
    await rejects(t, train({ seed: 2, resume, callbacks: [shared] }), OptionError, 'another training');
    const both = [train({ callbacks: [checkpoints({ directory: join(folder, 'c') })] })];
    both.push(train({ callbacks: [checkpoints({ directory: join(folder, '.', 'c') })] }));
    const outcomes = await Promise.allSettled(both);
    t.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    await rejects(t, both[1] ?? Promise.resolve(), OptionError, 'another training of this process writes to');
    await train({
      resume: await newestTrainingCheckpoint(join(folder, 'c')),
      ...saving({ directory: join(folder, 'c') }),
    });
  });
});

test('a folder that cannot be written to is refused before anything is trained; a file that cannot, when it is written', async (t) => {
  await inFolder(async (folder) => {
    let steps = 0;
    const counting: Callback = {
      onStepEnd: () => {
        steps++;
      },
    };
    const refused = async (directory: string, ...patterns: string[]): Promise<void> => {
      const training = train({ callbacks: [counting, checkpoints({ directory })] });
      await rejects(t, training, DataError, 'Cannot write', directory, ...patterns);
    };
    const file = join(folder, 'file');
    await writeFile(file, 'x');
    await refused(file, 'a file is in the way');
    await refused(join(file, 'below'), 'not a folder');
    await asOrdinaryUser(() => refused(join(folder, 'forbidden')));
    t.equal(steps, 0);
    const directory = join(folder, 'run');
    await mkdir(join(directory, 'step-3.safetensors'), { recursive: true });
    await rejects(t, newestTrainingCheckpoint(directory), DataError, 'step-3.safetensors', 'folder');
    await rename(join(directory, 'step-3.safetensors'), join(directory, 'step-6.txt'));
    const blocking: Callback = { onTrainBegin: () => void mkdir(join(directory, 'step-6.safetensors')) };
    const blocked = train({ callbacks: [checkpoints({ directory }), blocking] });
    await rejects(t, blocked, DataError, 'step-6.safetensors', 'it is a folder');
    await rejects(t, newestTrainingCheckpoint(file), DataError, file, 'not a folder');
  });
});

test('what is no checkpoint is refused by its path', async (t) => {
  await inFolder(async (folder) => {
    const path = join(folder, 'step-1.safetensors');
    await rejects(t, readTrainingCheckpoint(path), DataError, path, 'no such file');
    await saveWeights(path, net(8, 0.5).build([6]));
    await rejects(t, newestTrainingCheckpoint(folder), DataError, path, 'no training checkpoint');
    await rejects(t, train(saving({ directory: folder })), OptionError, 'another training, up to step 1');
    await writeFile(path, 'half of it');
    await rejects(t, newestTrainingCheckpoint(folder), DataError, path);
    for (const options of [{}, { directory: folder, everySteps: 0 }, { directory: folder, keep: 0 }]) {
      t.throws(() => checkpoints(options as CheckpointsOptions), OptionError);
    }
  });
});
