import { setTimeout } from 'node:timers/promises';
import type { Device } from '../../../lib/device/device.js';
import { Dense, evaluate, fit, predict, stateOf, tensor } from '../../../lib/index.js';
import { disagreement, type Expectation } from './expectation.js';
import { type Call, type Change, isCalls, type Life } from './life.js';
import { Member, type Saved, weightsIn } from './member.js';
import { CLASSES, COLUMNS, trainingData } from './net.js';
import { evaluatePlainly, type Numbers, predictPlainly } from './plain-net.js';

/** A device of a life. */
export interface Home {
  readonly device: Device;
  /** How a printed program opens it. */
  readonly code: string;
  /** Takes it away; undefined where that cannot happen. */
  readonly lose?: () => Promise<void>;
}

type Fit = Extract<Call, { readonly kind: 'fit' }>;

/** A call that is under way, with what it may come to. */
interface Trial {
  readonly member: Member;
  readonly code: string;
  readonly expected: Expectation;
  readonly start: () => Promise<Numbers>;
}

const data = trainingData();

/** Lives a life beside its account. Ends with the first thing that differs. */
export class Living {
  /** What a program does that lives the same. */
  readonly code: string[] = [];
  readonly #homes: readonly Home[];
  readonly #members: Member[] = [];
  readonly #saved: Saved[] = [];
  readonly #lost = new Set<number>();

  constructor(homes: readonly Home[]) {
    this.#homes = homes;
  }

  /** What went wrong, in words; undefined where nothing did. */
  async live({ models, momentum, steps }: Life): Promise<string | undefined> {
    try {
      for (const [i, sizes] of models.entries()) {
        const member = await Member.make(`net${i}`, sizes, i, momentum);
        this.#members.push(member);
        this.#saved.push(member.initial);
        this.code.push(...member.code);
      }
      this.code.push(`const saved = [${this.#members.map(({ name }) => `initial_${name}`).join(', ')}];`);
      for (const step of steps) {
        const problem = isCalls(step) ? await this.#sideBySide(step) : this.#change(step);
        if (problem !== undefined) return problem;
      }
      for (const model of this.#members.keys()) {
        const problem = await this.#sideBySide([{ kind: 'save', model }]);
        if (problem !== undefined) return problem;
      }
      return undefined;
    } finally {
      for (const member of this.#members) member.dispose();
    }
  }

  #change(action: Change): string | undefined {
    if (action.kind === 'load') return this.#load(action.model, action.slot);
    const { name, net, plain, initial } = this.#member(action.model);
    if (action.kind === 'mode') {
      const { path, isTraining } = action;
      this.code.push(`${[name, ...(path === '' ? [] : [partCode(path)])].join('.')}.train(${isTraining});`);
      const part = path === '' ? net : path === 'body' ? net.body : net.body.layers.get('dropout');
      part?.train(isTraining);
      plain.setMode(path, isTraining);
    } else if (action.kind === 'freeze') {
      const { path, isFrozen } = action;
      this.code.push(`${name}.${isFrozen ? 'freeze' : 'unfreeze'}('${path}');`);
      if (isFrozen) net.freeze(path);
      else net.unfreeze(path);
      plain.setFrozen(path, isFrozen);
    } else if (action.kind === 'newHead') {
      this.code.push(`${name}.head = new Dense(${CLASSES});`, `${name}.outputShape();`);
      net.head = new Dense(CLASSES);
      net.outputShape();
      plain.renewHead(initial.weights);
    } else {
      const { path } = action;
      this.code.push(`${path === '' ? name : `${name}.${path}`}.dispose();`);
      (path === '' ? net : net[path]).dispose();
      plain.dispose(path);
    }
    return undefined;
  }

  /** Calls that begin at once and are waited for together. A device may be lost meanwhile. */
  async #sideBySide(calls: readonly Call[]): Promise<string | undefined> {
    const snapshots = new Map<Member, readonly Numbers[]>();
    const trials = [...this.#fits(calls, snapshots), ...this.#readings(calls, snapshots)];
    const goes = new Map<number, number>();
    for (const call of calls) if (call.kind === 'lose' && this.#canGo(call.device)) goes.set(call.device, call.after);
    const codes = trials.map(({ code }) => code);
    const begin = codes.length === 1 ? (codes[0] ?? '') : `Promise.allSettled([${codes.join(', ')}])`;
    if (codes.length > 0) this.code.push(goes.size === 0 ? `await ${begin};` : `${begin};`);

    const settled = Promise.allSettled(trials.map(async ({ start }) => start()));
    for (const [index, after] of goes) await this.#takeAway(index, after);
    const results = await settled;
    for (const [i, { member, code, expected }] of trials.entries()) {
      const isHit = [...goes.keys()].some((index) => member.places.has(index));
      const got = results[i];
      const errors = isHit ? [...expected.errors, 'DeviceLostError'] : expected.errors;
      const problem = got && disagreement(got, { ...expected, errors });
      if (problem !== undefined) return `${code}: ${problem}`;
    }
    for (const index of goes.keys()) {
      const problem = await this.#goOn(index, snapshots);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** Trainings. The first of a model is carried out on its account at once: its steps are the moments of the others. */
  #fits(calls: readonly Call[], snapshots: Map<Member, readonly Numbers[]>): Trial[] {
    const trained = new Set<Member>();
    return calls
      .filter((call) => call.kind === 'fit')
      .map((call) => {
        const member = this.#member(call.model);
        const isSecond = trained.has(member);
        trained.add(member);
        return this.#fit(call, member, isSecond, snapshots);
      });
  }

  #readings(calls: readonly Call[], snapshots: ReadonlyMap<Member, readonly Numbers[]>): Trial[] {
    return calls.map((call) => this.#reading(call, snapshots)).filter((trial) => trial !== undefined);
  }

  #fit(
    { device, epochs, batchSize, seed }: Fit,
    member: Member,
    isSecond: boolean,
    snapshots: Map<Member, readonly Numbers[]>,
  ): Trial {
    const { name, net, plain, optimizer, plainOptimizer } = member;
    if (!this.#lost.has(device)) member.places.add(device);
    const errors = [
      ...(isSecond ? ['OptionError'] : []),
      ...(plain.isAllFrozen ? ['OptionError'] : []),
      ...(plain.isDisposed ? ['TraceError'] : []),
      ...(this.#lost.has(device) ? ['DeviceLostError'] : []),
    ];
    const outcomes: Numbers[] = [];
    if (errors.length === 0) {
      const { result, snapshots: passed } = plain.fit(plainOptimizer, { epochs, batchSize, seed });
      outcomes.push(result);
      snapshots.set(member, passed);
    }
    const options = { epochs, batchSize, seed, optimizer, device: this.#home(device).device };
    return {
      member,
      code:
        `fit(${name}, data, { epochs: ${epochs}, batchSize: ${batchSize}, seed: ${seed}, ` +
        `optimizer: optimizer_${name}, device: device${device} })`,
      expected: { errors, outcomes },
      start: async () => {
        const { loss, accuracy } = await fit(net, data, options);
        return new Map([['loss', loss], ['accuracy', accuracy]]); // prettier-ignore
      },
    };
  }

  #reading(call: Call, snapshots: ReadonlyMap<Member, readonly Numbers[]>): Trial | undefined {
    if (call.kind !== 'predict' && call.kind !== 'evaluate' && call.kind !== 'save') return undefined;
    const member = this.#member(call.model);
    const { name, net, plain } = member;
    const moments = plain.isDisposed ? [] : (snapshots.get(member) ?? [plain.weights]);
    const errors = plain.isDisposed ? ['TraceError'] : [];
    if (call.kind === 'save') {
      return {
        member,
        code: `stateOf(${name}).then((state) => saved.push(state))`,
        expected: { errors, outcomes: moments },
        start: async () => {
          const state = await stateOf(net);
          const weights = weightsIn(state);
          this.#saved.push({ state, weights });
          return weights;
        },
      };
    }
    const { device } = this.#home(call.device);
    const isLost = this.#lost.has(call.device);
    if (isLost) errors.push('DeviceLostError');
    else member.places.add(call.device);
    if (call.kind === 'evaluate') {
      return {
        member,
        code: `evaluate(${name}, data, { device: device${call.device} })`,
        expected: { errors, outcomes: isLost ? [] : moments.map(evaluatePlainly) },
        start: async () => {
          const { loss, accuracy } = await evaluate(net, data, { device });
          return new Map([['loss', [loss]], ['accuracy', [accuracy]]]); // prettier-ignore
        },
      };
    }
    const { rows, batchSize } = call;
    const inputs = tensor(Float32Array.from(data.inputs).subarray(0, rows * COLUMNS), { shape: [rows, COLUMNS] });
    return {
      member,
      code:
        `predict(${name}, tensor(data.inputs.slice(0, ${rows * COLUMNS}), { shape: [${rows}, ${COLUMNS}] }), ` +
        `{ batchSize: ${batchSize}, device: device${call.device} })`,
      expected: {
        errors,
        outcomes: isLost ? [] : moments.map((weights) => predictPlainly(weights, rows)),
        partLength: batchSize * CLASSES,
      },
      start: async () => new Map([['outputs', await (await predict(net, inputs, { batchSize, device })).data()]]),
    };
  }

  #load(model: number, slot: number): string | undefined {
    const member = this.#member(model);
    const index = slot % this.#saved.length;
    const saved = this.#saved[index];
    if (!saved) return undefined;
    this.code.push(`loadState(${member.name}, { tensors: saved[${index}] });`);
    const fits = [...member.plain.weights].every(([name, { length }]) => saved.weights.get(name)?.length === length);
    const errors = [...(fits ? [] : ['DataError']), ...(member.plain.isDisposed ? ['TraceError'] : [])];
    try {
      member.load(saved);
    } catch (error) {
      if (error instanceof Error && errors.includes(error.name)) return undefined;
      return `loadState was refused (${String(error)}), expected ${errors.length > 0 ? errors.join(' or ') : 'no error'}`;
    }
    return errors.length > 0 ? `loadState was not refused, expected ${errors.join(' or ')}` : undefined;
  }

  #canGo(index: number): boolean {
    return this.#home(index).lose !== undefined && !this.#lost.has(index);
  }

  async #takeAway(index: number, after: number): Promise<void> {
    await setTimeout(after);
    this.code.push(`await setTimeout(${after});`, `device${index}.gpu.destroy();`, `await device${index}.gpu.lost;`);
    await this.#home(index).lose?.();
    await setTimeout(0);
    this.#lost.add(index);
  }

  /** Behind the loss of a device: the models that were on it are told or right, and go on with weights from elsewhere. */
  async #goOn(index: number, snapshots: ReadonlyMap<Member, readonly Numbers[]>): Promise<string | undefined> {
    if (!this.#home(index).device.isLost) return `device${index} does not say that it is lost`;
    for (const [place, member] of this.#members.entries()) {
      if (!member.places.has(index)) continue;
      const { name, net, plain } = member;
      if (!plain.isDisposed) {
        const outcomes = snapshots.get(member) ?? [plain.weights];
        this.code.push(`await stateOf(${name}); // right, or a DeviceLostError`);
        const [before] = await Promise.allSettled([stateOf(net).then(weightsIn)]);
        this.code.push(`loadState(${name}, { tensors: … });`, `await stateOf(${name});`);
        member.recover();
        const [behind] = await Promise.allSettled([stateOf(net).then(weightsIn)]);
        const problem =
          disagreement(before, { errors: ['DeviceLostError'], outcomes }) ??
          disagreement(behind, { errors: [], outcomes: [plain.weights] });
        if (problem !== undefined) return `stateOf(${name}) after a lost device: ${problem}`;
        this.code.push(`optimizer_${name} = ${member.optimizerCode};`);
        // How far a training got that was broken off, nobody knows.
        if (!snapshots.has(member)) continue;
      }
      member.dispose();
      this.#members[place] = await member.another();
      this.code.push(...member.code.map((line) => line.replace(/^let /, '')));
    }
    return undefined;
  }

  #member(model: number): Member {
    const member = this.#members[model % this.#members.length];
    if (!member) throw new Error('a life has models');
    return member;
  }

  #home(device: number): Home {
    const home = this.#homes[device];
    if (!home) throw new Error(`there is no device ${device}`);
    return home;
  }
}

function partCode(path: string): string {
  return path === 'body' ? path : `body.layers.get('dropout')`;
}
