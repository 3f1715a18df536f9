import test from 'tape';
import type { LaunchJob } from '../../../../lib/device/webgpu/launch-job.js';
import { choicesText, parseChoices, type TuningStore } from '../../../../lib/device/webgpu/tuning/store.js';
import { UNWRITTEN } from '../../../../lib/device/webgpu/tuning/trials.js';
import { Tuner } from '../../../../lib/device/webgpu/tuning/tuner.js';
import { DeviceError } from '../../../../lib/errors.js';
import type { KernelVariant } from '../../../../lib/graph/launch.js';
import type { Operation } from '../../../../lib/graph/operation.js';
import type { Step } from '../../../../lib/graph/program.js';
import { targetOf } from '../../../support/targets.js';

/** What a pretended variant does: milliseconds of one execution, and what it computes; refused where it is a text. */
type Behaviour = { readonly milliseconds: number; readonly result?: number; readonly unwritten?: boolean } | string;

class MemoryStore implements TuningStore {
  text: string | undefined;
  read(): Promise<string | undefined> {
    return Promise.resolve(this.text);
  }
  write(text: string): Promise<void> {
    this.text = text;
    return Promise.resolve();
  }
}

function stepOf(names: readonly string[], code = '', size = 5, workgroups = 1): Step {
  const variants = names.map((name): KernelVariant => ({
    name,
    launches: [
      {
        kernel: { name, code: code + name, entryPoint: name },
        bindings: [],
        uniforms: new Uint8Array(0),
        workgroups: [workgroups, 1, 1],
      },
    ],
  }));
  const operation: Operation = {
    name: 'pretended',
    infer: () => [],
    reference: () => undefined,
    kernel: () => variants[0]?.launches ?? [],
    variants: () => variants,
    gradient: { none: 'it is a pretence' },
    tolerance: { absolute: 1e-5, relative: 1e-5 },
    cases: [],
  };
  const reference = { shape: [size], dtype: 'f32', place: { kind: 'slot', index: 0 } } as const;
  return { operation, attributes: {}, inputs: [reference], outputs: [reference] };
}

/** A tuner over pretended variants, how often each of them was executed, in which order, and how long at most at once. */
function pretend(
  behaviours: Readonly<Record<string, Behaviour>>,
  store?: TuningStore,
  adapter = 'some adapter',
  latency = 0,
) {
  const executions = new Map<string, number>();
  const order: string[] = [];
  let longest = 0;
  let isOpen = 0;
  const open = ({ name }: KernelVariant): Promise<LaunchJob> => {
    const behaviour = behaviours[name] ?? 'unknown';
    if (typeof behaviour === 'string') return Promise.reject(new DeviceError(behaviour));
    isOpen++;
    return Promise.resolve({
      run(repeats, part = 1) {
        executions.set(name, (executions.get(name) ?? 0) + repeats * part);
        order.push(name);
        longest = Math.max(longest, repeats * part * behaviour.milliseconds);
        return Promise.resolve(latency + repeats * part * behaviour.milliseconds);
      },
      outputs: () => Promise.resolve([Float32Array.of(behaviour.unwritten ? UNWRITTEN : (behaviour.result ?? 1))]),
      dispose() {
        isOpen--;
      },
    });
  };
  const tuner = new Tuner({
    target: targetOf(false),
    adapter,
    store,
    trialsOf: () => ({
      expected: () => ({ outputs: [Float32Array.of(1)], before: [undefined] }),
      fill: () => undefined,
      open,
      dispose: () => undefined,
    }),
  });
  return { tuner, executions, order, longest: () => longest, openJobs: () => isOpen };
}

const entryOf = (tuner: Tuner, step: Step): string | undefined => tuner.launchesOf(step)?.[0]?.kernel.entryPoint;

test('the fastest variant is taken, a hopeless one is given up early, and every job is closed', async (t) => {
  const { tuner, executions, openJobs } = pretend({
    first: { milliseconds: 4 },
    fast: { milliseconds: 2 },
    slow: { milliseconds: 100 },
  });
  const step = stepOf(['first', 'fast', 'slow']);
  t.equal(tuner.launchesOf(step), undefined, 'nothing is chosen before it was prepared');
  await tuner.prepare([step]);
  t.equal(entryOf(tuner, step), 'fast');
  t.equal(executions.get('slow'), 3, 'once to see how long it takes, once to check it, once to time it');
  t.equal(openJobs(), 0);
  const [choice] = tuner.report.choices;
  t.equal(choice?.source, 'measured');
  const { first, fast, slow } = choice?.trials ?? {};
  t.deepEqual(Object.keys(choice?.trials ?? {}), ['first', 'fast', 'slow']);
  t.deepEqual(fast, { outcome: 'taken', milliseconds: 2, slowest: 2, runs: 4, part: 1 });
  t.deepEqual(first, { outcome: 'slower', milliseconds: 4, slowest: 4, runs: 2, part: 1 });
  t.deepEqual(slow, { outcome: 'slower', milliseconds: 100, slowest: 100, runs: 1, part: 1 });
});

test('rounds of variants are interleaved', async (t) => {
  const { tuner, order } = pretend({ a: { milliseconds: 5 }, b: { milliseconds: 6 }, c: { milliseconds: 7 } });
  await tuner.prepare([stepOf(['a', 'b', 'c'])]);
  t.deepEqual(order.slice(-9), ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
});

test('nothing is executed whole that would take over 100 ms: its first workgroups stand for it', async (t) => {
  const { tuner, executions, longest } = pretend({
    first: { milliseconds: 4000 },
    fast: { milliseconds: 1000 },
    quick: { milliseconds: 90 },
    wrong: { milliseconds: 2000, result: 3 },
  });
  const step = stepOf(['first', 'fast', 'wrong'], '', 5, 1000);
  await tuner.prepare([step]);
  t.equal(entryOf(tuner, step), 'fast');
  t.ok(longest() <= 100, `${longest()} ms at once`);
  const { fast, wrong } = tuner.report.choices[0]?.trials ?? {};
  t.ok(fast && fast.part < 0.1 && Math.abs((fast.milliseconds ?? 0) - 1000) < 1e-6, JSON.stringify(fast));
  t.equal(wrong?.outcome, 'wrong', 'what the part has computed is compared');
  t.ok((executions.get('first') ?? 1) < 0.1);
  const other = stepOf(['first', 'quick'], '', 5, 1000);
  await tuner.prepare([other]);
  t.equal(tuner.report.choices[1]?.trials['quick']?.part, 1, 'what takes less is executed whole');
});

test('what every run takes in any case does not make a variant seem long', async (t) => {
  const { tuner } = pretend({ a: { milliseconds: 80 }, b: { milliseconds: 4000 } }, undefined, 'a busy adapter', 6);
  await tuner.prepare([stepOf(['a', 'b'], '', 5, 1000)]);
  const { a, b } = tuner.report.choices[0]?.trials ?? {};
  t.equal(a?.part, 1);
  t.ok(b && b.part < 0.1, JSON.stringify(b));
});

test('what cannot be compared with the reference is not taken', async (t) => {
  const { tuner } = pretend({ first: { milliseconds: 900 }, nothing: { milliseconds: 500, unwritten: true } });
  const step = stepOf(['first', 'nothing'], '', 5, 1000);
  await tuner.prepare([step]);
  t.equal(entryOf(tuner, step), 'first');
  t.equal(tuner.report.choices[0]?.trials['nothing']?.outcome, 'unchecked');
  const whole = pretend({ first: { milliseconds: 9 }, nothing: { milliseconds: 5, unwritten: true } });
  await whole.tuner.prepare([step]);
  t.equal(whole.tuner.report.choices[0]?.trials['nothing']?.outcome, 'wrong', 'whole, it should have written');
});

test('a variant that is wrong or refused is never used, however fast, and is named', async (t) => {
  const { tuner } = pretend({
    first: { milliseconds: 4 },
    wrong: { milliseconds: 0.1, result: 1.001 },
    nan: { milliseconds: 0.1, result: NaN },
    refused: 'too many bindings',
  });
  const step = stepOf(['first', 'wrong', 'nan', 'refused']);
  await tuner.prepare([step]);
  t.equal(entryOf(tuner, step), 'first');
  const warnings = tuner.report.warnings.join('\n');
  for (const part of ['variant wrong', 'expected 1', 'variant nan', 'variant refused', 'too many bindings']) {
    t.ok(warnings.includes(part), part);
  }
});

test('where all variants are wrong the first one stays', async (t) => {
  const { tuner } = pretend({ first: { milliseconds: 1, result: 2 }, second: { milliseconds: 1, result: 3 } });
  const step = stepOf(['first', 'second']);
  await tuner.prepare([step]);
  t.equal(entryOf(tuner, step), 'first');
  t.equal(tuner.report.warnings.length, 2);
});

test('a choice is remembered for the same adapter, kernels and bucket of sizes, and for no other', async (t) => {
  const store = new MemoryStore();
  const behaviours = { first: { milliseconds: 4 }, fast: { milliseconds: 2 } };
  const names = ['first', 'fast'];
  await pretend(behaviours, store).tuner.prepare([stepOf(names, '', 99)]);
  const sourceOf = async (step: Step, adapter?: string) => {
    const { tuner, executions } = pretend(behaviours, store, adapter);
    await tuner.prepare([step]);
    const source = tuner.report.choices[0]?.source;
    t.equal(executions.size > 0, source === 'measured');
    t.equal(entryOf(tuner, step), 'fast');
    return source;
  };
  t.equal(await sourceOf(stepOf(names, '', 99)), 'remembered');
  t.equal(await sourceOf(stepOf(names, '', 101)), 'remembered', 'of the same bucket');
  t.equal(await sourceOf(stepOf(names, '', 100)), 'measured', 'a multiple of 4');
  t.equal(await sourceOf(stepOf(names, '', 200)), 'measured', 'another bucket');
  t.equal(await sourceOf(stepOf(names, 'edited', 99)), 'measured', 'other kernels');
  t.equal(await sourceOf(stepOf(names, '', 99), 'another adapter'), 'measured');
});

test('what another process has stored meanwhile stays', async (t) => {
  const store = new MemoryStore();
  const { tuner } = pretend({ first: { milliseconds: 1 }, second: { milliseconds: 2 } }, store);
  await tuner.prepare([stepOf(['first', 'second'])]);
  store.text = choicesText(new Map([...parseChoices(store.text), ['of another', 'theirs']]));
  await tuner.prepare([stepOf(['first', 'second'], 'edited')]);
  t.equal(parseChoices(store.text).get('of another'), 'theirs');
  t.equal(parseChoices(store.text).size, 3);
});

test('a broken store is ignored and rewritten, one that cannot be written is a warning', async (t) => {
  const behaviours = { first: { milliseconds: 1 }, second: { milliseconds: 2 } };
  for (const text of ['', '{"version": 1, "choi', '[]', 'null', '{"version":0,"choices":{"a":"b"}}', '{"version":1}']) {
    const store = new MemoryStore();
    store.text = text;
    await pretend(behaviours, store).tuner.prepare([stepOf(['first', 'second'])]);
    t.equal(parseChoices(store.text).size, 1, text);
  }
  const full = new MemoryStore();
  full.write = () => Promise.reject(new Error('the disk is full'));
  const { tuner } = pretend(behaviours, full);
  const step = stepOf(['first', 'second']);
  await tuner.prepare([step]);
  t.equal(entryOf(tuner, step), 'first');
  t.ok(tuner.report.warnings.join().includes('the disk is full'));
});

test('parts of a store that are no choices are left out', (t) => {
  const text = '{"version":1,"choices":{"a":"fast","b":3,"c":null}}';
  t.deepEqual([...parseChoices(text)], [['a', 'fast']]);
  t.deepEqual(parseChoices(choicesText(new Map([['k', 'v']]))), new Map([['k', 'v']]));
  t.end();
});

test('steps with one variant, and those that only write empty tensors, are not tuned', async (t) => {
  const { tuner, executions } = pretend({ only: { milliseconds: 1 }, other: { milliseconds: 1 } });
  await tuner.prepare([stepOf(['only']), stepOf(['only', 'other'], '', 0)]);
  t.equal(executions.size, 0);
  t.equal(tuner.report.choices.length, 0);
});
