import { float16Wgsl } from '../generated/wgsl.js';
import type { Binding } from '../graph/launch.js';
import type { DType, TensorSpec } from '../graph/operation.js';
import { type Shape, sizeOf } from '../shape.js';
import { type Axis, type Broadcast, broadcastOf, isWhole } from './broadcast.js';
import { type Chain, type ChainOutput, type Link, outputsOfChain, VALUE } from './chain.js';
import type { Setting } from './stage.js';

/** Where values come out of a kernel, and how it says where they belong. */
export interface Spot {
  readonly site: number;
  /** WGSL: the function that the kernel calls for each value, and its parameters: `putC(given: Element, row: u32)`. */
  readonly put: string;
  /** WGSL, of these parameters: the value's place in its tensor, counted row-major. */
  readonly index: string;
  /** How many values there are in all. */
  readonly count: number;
  /** WGSL, of these parameters: coordinates that are known already, each (index / inner) % size. */
  readonly coordinates?: readonly (Omit<Axis, 'stride'> & { readonly spelled: string })[];
  /** Values come out one by one here, where they come by fours elsewhere in the kernel. */
  readonly isSingle?: boolean;
}

/** Where a kernel reads the elements of an input, which stages may compute: the head of a chain. */
export interface Intake {
  /** Place of the input among those of the host. */
  readonly input: number;
  /** WGSL: the name of a function that takes the place of an element, counted row-major: `name(index: u32) -> Element`. */
  readonly name: string;
  /** The shape that the host sees. */
  readonly shape: Shape;
}

export interface GlueOptions {
  /** How many values are stored at once: the Element of kernels/common/element_one.wgsl or element_four.wgsl. */
  readonly width: 1 | 4;
  /** The first number of a binding that is free. */
  readonly firstBinding: number;
  /** WGSL: the uniform `array<vec4u, WORD_QUADS>` that the words are written to. */
  readonly words: string;
  /** Where elements are read. */
  readonly intakes?: readonly Intake[];
}

/** What surrounds the stages of a chain in a kernel. */
export interface Glue {
  /**
   * WGSL: the sources, bindings and overrides of the stages, `WORD_QUADS`, the functions of the spots, and `beginStages`,
   * which every invocation calls before its first value: what is the same for all of them is read there, because shader
   * compilers do not move it out of loops.
   */
  readonly code: string;
  readonly bindings: readonly Binding[];
  readonly constants: Readonly<Record<string, number>>;
  /** Numbers that differ from use to use of one kernel: sizes, places in states. They go into the uniforms. */
  readonly words: readonly number[];
}

/** Prints what surrounds the stages of a chain. Only this is generated: what the stages compute stands in their files. */
export function glueOf(
  chain: Chain,
  inputs: readonly TensorSpec[],
  spots: readonly Spot[],
  options: GlueOptions,
): Glue {
  const printer = new Printer(chain, inputs, options);
  for (const intake of options.intakes ?? []) printer.take(intake);
  for (const spot of spots) printer.put(spot);
  return printer.glue();
}

/** Values that a kernel meets one after the other: those of a site, or the elements of an input. */
interface Values extends Pick<Spot, 'count' | 'coordinates' | 'isSingle'> {
  readonly key: string;
  readonly site?: number;
}

type ElementType = 'Element' | 'f32' | 'u32' | 'vec2u';

class Printer {
  readonly #chain: Chain;
  readonly #inputs: readonly TensorSpec[];
  readonly #options: GlueOptions;
  readonly #layout: readonly ChainOutput[];
  readonly #sources = new Set<string>();
  readonly #head: string[] = [];
  readonly #begin: string[] = [];
  readonly #functions: string[] = [];
  readonly #bindings: Binding[] = [];
  readonly #constants: Record<string, number> = {};
  readonly #words: number[] = [];
  readonly #wordTexts = new Map<string, string>();
  readonly #bound = new Map<string, string>();

  constructor(chain: Chain, inputs: readonly TensorSpec[], options: GlueOptions) {
    this.#chain = chain;
    this.#inputs = inputs;
    this.#options = options;
    this.#layout = outputsOfChain(chain);
  }

  glue(): Glue {
    const quads = Math.max(Math.ceil(this.#words.length / 4), 1);
    const words = Array.from({ length: 4 * quads }, (_, i) => this.#words[i] ?? 0);
    const lines = [
      ...this.#sources,
      `const WORD_QUADS = ${quads}u;`,
      ...this.#head,
      ...block('fn beginStages()', this.#begin),
      ...this.#functions,
    ];
    return { code: lines.join('\n'), bindings: this.#bindings, constants: this.#constants, words };
  }

  /** The function of an intake: the stages of its head, in order, on what is read. */
  take({ input, name, shape }: Intake): void {
    const { from, links } = this.#chain.heads?.[input] ?? { from: input, links: [] };
    const place = { key: `head ${input}`, count: sizeOf(shape) };
    const body = [`var value = ${this.#operand(place, from, links[0]?.shape ?? shape)};`];
    links.forEach((link, l) => {
      body.push(...this.#call(place, link, `h${input}_${l}`).lines);
    });
    body.push('return value;');
    this.#functions.push(...block(`fn ${name}(index: u32) -> Element`, body));
  }

  /**
   * The function of a spot: the stages of its site, in order, and what is stored. All is loaded before anything is stored:
   * a compiler moves no load over a store, because it cannot know that they do not meet.
   */
  put(spot: Spot): void {
    const { site, put, index } = spot;
    const links = this.#chain.sites[site] ?? [];
    const { from } = this.#chain;
    const body = index === 'index' ? [] : [`let index = ${index};`];
    const values = { ...spot, key: `${site}` };
    const start = from === undefined ? 'given' : this.#operand(values, from, links[0]?.shape ?? []);
    body.push(`var value = ${start};`);
    const stores: string[] = [];
    const store = (text: string, behind: Link | undefined, matches: (output: ChainOutput) => boolean): void => {
      const output = this.#layout.findIndex((own) => own.site === site && matches(own));
      if (output < 0) return;
      stores.push(this.#store(values, output, text, behind?.stage.stores ?? 'f32'));
    };
    links.forEach((link, l) => {
      if (link.keepsInput) body.push(`let kept${l} = value;`);
      store(`kept${l}`, links[l - 1], (own) => own.kind === 'kept' && own.link === l);
      const called = this.#call(values, link, `s${site}_${l}`);
      body.push(...called.lines);
      stores.push(...called.stores);
    });
    store('value', links.at(-1), (own) => own.kind === 'result');
    this.#functions.push(...block(`fn ${put}`, [...body, ...stores]));
  }

  /** Values of a place are stored in an output; as 16-bit floats by fours, because two share a word. */
  #store(values: Values, output: number, text: string, dtype: DType): string {
    if (dtype === 'f32')
      return `${this.#bind({ output }, this.#typeAt(values))}[${this.#at(values, 'index')}] = ${text};`;
    this.#sources.add(float16Wgsl);
    if (this.#widthAt(values) === 4) return `${this.#bind({ output }, 'vec2u')}[index / 4u] = float16Words(${text});`;
    if (values.count === 1) return `${this.#bind({ output }, 'u32')}[0] = float16Bits(${text});`;
    throw new Error('16-bit floats are stored by fours');
  }

  /** The call of a stage, and apart from it the stores of what it writes in place. */
  #call(
    spot: Values,
    { stage, operation, inputs, shape }: Link,
    name: string,
  ): { readonly lines: readonly string[]; readonly stores: readonly string[] } {
    const { wgsl, settings = {}, words, parts = {} } = stage;
    for (const source of wgsl.sources) this.#sources.add(source);
    const isEach = wgsl.on === 'number' && this.#widthAt(spot) === 4;
    const set = Object.entries(settings).map(([key, value]) => this.#setting(`${name}_${key}`, value));

    const targets: { readonly text: string; readonly at: string }[] = [];
    const given = inputs.flatMap((place, input): string[] => {
      if (place === VALUE) return ['value'];
      if (input === words?.input) return [];
      const output = operation.writes?.indexOf(input) ?? -1;
      if (output < 0) return [this.#operand(spot, place, shape)];
      const own = this.#layout.findIndex(
        (each) => each.site === spot.site && each.kind === 'written' && each.output === output,
      );
      const text = this.#bind({ output: own }, this.#typeAt(spot));
      const stride = parts[input] === undefined ? spot.count : sizeOf(this.#inputs[place]?.shape ?? []) / parts[input];
      return Array.from({ length: parts[input] ?? 1 }, (_, part) => {
        const at = this.#at(
          spot,
          part === 0 ? 'index' : `(index + ${part}u * ${this.#word(`${name} stride ${input}`, stride)})`,
        );
        targets.push({ text, at });
        return `${text}[${at}]`;
      });
    });

    const lines: string[] = [];
    const values = given.map((text, i) => {
      if (!isEach || text === 'value') return text;
      lines.push(`let ${name}_${i} = ${text};`);
      return `${name}_${i}`;
    });
    const prepared = wgsl.prepare && this.#prepare(stage, inputs, name, set);
    const more = [...(prepared === undefined ? [] : [prepared]), ...(stage.takesIndex ? ['index'] : []), ...set];
    const isWidened = wgsl.on === 'Element' && spot.isSingle === true && this.#options.width === 4;
    const callWith = (own: readonly string[]): string => {
      const given = [...own, ...more];
      return typeof wgsl.call === 'string' ? `${wgsl.call}(${given.join(', ')})` : wgsl.call(...given);
    };
    const narrowed = (text: string): string => (isWidened ? `firstOf(${text})` : text);
    const called = isEach
      ? `Element(${['x', 'y', 'z', 'w'].map((lane) => callWith(values.map((own) => `${own}.${lane}`))).join(', ')})`
      : callWith(isWidened ? values.map((own) => `Element(${own})`) : values);
    if (targets.length === 0) return { lines: [...lines, `value = ${narrowed(called)};`], stores: [] };
    lines.push(`let ${name} = ${called};`);
    const skips = this.#skips(stage, inputs, name);
    const stores = targets.map(({ text, at }, i) => {
      const field = wgsl.fields?.[i];
      const store = `${text}[${at}] = ${narrowed(field === undefined ? name : `${name}.${field}`)};`;
      return skips === undefined ? store : `if (!${skips}) { ${store} }`;
    });
    return { lines, stores };
  }

  /** What a stage needs that is the same for all elements, in a variable of each invocation. */
  #prepare(
    { wgsl: { prepare }, words }: Link['stage'],
    inputs: readonly number[],
    name: string,
    set: readonly string[],
  ) {
    if (!prepare) return undefined;
    const read = words ? Array.from({ length: words.count }, (_, i) => this.#stateWord(words, inputs, name, i)) : [];
    const prepared = `${name}_prepared`;
    this.#head.push(`var<private> ${prepared}: ${prepare.type};`);
    this.#begin.push(`${prepared} = ${prepare.call}(${[...read, ...set].join(', ')});`);
    return prepared;
  }

  /** Whether a stage writes nothing, in a variable of each invocation; undefined where it always does. */
  #skips({ words, skipsAt }: Link['stage'], inputs: readonly number[], name: string): string | undefined {
    if (!words || skipsAt === undefined) return undefined;
    this.#head.push(`var<private> ${name}_skips: bool;`);
    this.#begin.push(`${name}_skips = ${this.#stateWord(words, inputs, name, 0)} == ${skipsAt}u;`);
    return `${name}_skips`;
  }

  /** WGSL: one of the words that are the same for all elements. */
  #stateWord(words: NonNullable<Link['stage']['words']>, inputs: readonly number[], name: string, i: number): string {
    const state = this.#bind({ input: inputs[words.input] ?? VALUE }, 'u32');
    return `${state}[${this.#word(`${name} word ${i}`, words.from + i)}]`;
  }

  /** An override; a number that varies, or is not finite and cannot be one, goes through the uniforms. */
  #setting(name: string, setting: Setting): string {
    const isWhole = typeof setting !== 'number' && 'u32' in setting;
    const value = typeof setting === 'number' ? setting : 'u32' in setting ? setting.u32 : setting.varies;
    if (Number.isFinite(value) && (typeof setting === 'number' || isWhole)) {
      this.#head.push(`override ${name}: ${isWhole ? 'u32' : 'f32'};`);
      this.#constants[name] = value;
    } else {
      this.#head.push(`var<private> ${name}: f32;`);
      const [bits = 0] = new Uint32Array(Float32Array.of(value).buffer);
      this.#begin.push(`${name} = bitcast<f32>(${this.#word(name, bits)});`);
    }
    return name;
  }

  /** The elements of an input that belong to the place. */
  #operand(spot: Values, input: number, shape: readonly number[]): string {
    const { shape: own = [], dtype = 'f32' } = this.#inputs[input] ?? {};
    const broadcast = broadcastOf(own, shape);
    const isFour = this.#widthAt(spot) === 4;
    const single = (at: string): string => {
      if (dtype !== 'f16') return `${this.#bind({ input }, 'f32')}[${at}]`;
      return `float16In(${this.#bind({ input }, 'u32')}[(${at}) / 2u], ${at})`;
    };
    if (dtype === 'f16') this.#sources.add(float16Wgsl);
    const [axis] = broadcast;
    if (!axis) return isFour ? `Element(${single('0u')})` : single('0u');
    const key = [input, spot.key, ...shape].join(' ');
    const addressAt = (index: string, isPlace: boolean): string => this.#address(spot, broadcast, key, index, isPlace);
    if (!isFour) return single(addressAt('index', true));
    const innermost = broadcast.at(-1);
    const isQuads =
      isWhole(broadcast, spot.count) ||
      (innermost?.inner === 1 &&
        innermost.size % 4 === 0 &&
        broadcast.slice(0, -1).every(({ stride }) => stride % 4 === 0));
    if (isQuads) {
      const at = `${addressAt('index', true)} / 4u`;
      if (dtype === 'f16') return `float16Quad(${this.#bind({ input }, 'vec2u')}[${at}])`;
      return `${this.#bind({ input }, 'Element')}[${at}]`;
    }
    if (broadcast.every(({ inner }) => inner % 4 === 0)) return `Element(${single(addressAt('index', true))})`;
    return `Element(${[0, 1, 2, 3].map((lane) => single(addressAt(`(index + ${lane}u)`, false))).join(', ')})`;
  }

  /** WGSL: where the element of a broadcast input lies. */
  #address(spot: Values, broadcast: Broadcast, key: string, index: string, isPlace: boolean): string {
    const { count, coordinates = [] } = spot;
    if (isWhole(broadcast, count)) return index;
    const terms = broadcast.map(({ inner, size, stride }, axis) => {
      const known = coordinates.find((own) => isPlace && own.inner === inner && own.size === size)?.spelled;
      const word = (what: string, value: number): string => this.#word(`${key} ${axis} ${what}`, value);
      const along = inner === 1 ? index : `(${index} / ${word('inner', inner)})`;
      // The outermost axis does not begin again, but beyond the last place it must not leave the input.
      const coordinate = known ?? `(${along} % ${word('size', size)})`;
      return stride === 1 ? coordinate : `${coordinate} * ${word('stride', stride)}`;
    });
    return terms.length === 1 ? terms.join('') : `(${terms.join(' + ')})`;
  }

  #widthAt({ isSingle }: Values): 1 | 4 {
    return isSingle === true ? 1 : this.#options.width;
  }

  #typeAt(spot: Values): ElementType {
    return this.#widthAt(spot) === 4 ? 'Element' : 'f32';
  }

  #at(spot: Values, index: string): string {
    return this.#widthAt(spot) === 4 ? `${index} / 4u` : index;
  }

  /** The name of a bound buffer. */
  #bind(buffer: { readonly input: number } | { readonly output: number }, type: ElementType): string {
    const name = 'input' in buffer ? `operand${buffer.input}_${type}` : `result${buffer.output}`;
    const known = this.#bound.get(name);
    if (known) return known;
    const at = this.#options.firstBinding + this.#bindings.length;
    const access = 'input' in buffer ? 'read' : 'read_write';
    this.#head.push(`@group(0) @binding(${at}) var<storage, ${access}> ${name}: array<${type}>;`);
    this.#bindings.push({ ...buffer, at });
    this.#bound.set(name, name);
    return name;
  }

  /** WGSL: a number that is the same for all invocations, in the uniforms; one for each key. */
  #word(key: string, value: number): string {
    const known = this.#wordTexts.get(key);
    if (known !== undefined) return known;
    const at = this.#words.push(value) - 1;
    const text = `${this.#options.words}[${at >> 2}].${'xyzw'.charAt(at & 3)}`;
    this.#wordTexts.set(key, text);
    return text;
  }
}

function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), '}'];
}
