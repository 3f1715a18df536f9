import { elementAt } from '../element-at.js';
import type { Binding } from '../graph/launch.js';
import type { TensorSpec } from '../graph/operation.js';
import { type Shape, sizeOf } from '../shape.js';
import { type Chain, type ChainOutput, type Link, outputsOfChain, VALUE } from './chain.js';
import { GlueDeclarations } from './glue-declarations.js';
import { GlueElements, type Values } from './glue-elements.js';

/** Where values come out of a kernel, and how it says where they belong. */
export interface Spot extends Pick<Values, 'count' | 'coordinates' | 'isSingle' | 'type'> {
  readonly site: number;
  /** WGSL: the function that the kernel calls for each value, and its parameters: `putC(given: Element, row: u32)`. */
  readonly put: string;
  /** WGSL, of these parameters: the value's place in its tensor, counted row-major. */
  readonly index: string;
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

/** Values that a kernel meets: those of a site, or the elements of an input. */
type Met = Values & { readonly site?: number };

class Printer {
  readonly #chain: Chain;
  readonly #inputs: readonly TensorSpec[];
  readonly #layout: readonly ChainOutput[];
  readonly #declarations: GlueDeclarations;
  readonly #elements: GlueElements;
  readonly #functions: string[] = [];

  constructor(chain: Chain, inputs: readonly TensorSpec[], { width, firstBinding, words }: GlueOptions) {
    this.#chain = chain;
    this.#inputs = inputs;
    this.#layout = outputsOfChain(chain);
    this.#declarations = new GlueDeclarations(firstBinding, words);
    this.#elements = new GlueElements(this.#declarations, inputs, width);
  }

  glue(): Glue {
    const { sources, head, begin, bindings, constants, words } = this.#declarations;
    const lines = [
      ...sources,
      `const WORD_QUADS = ${words.length / 4}u;`,
      ...head,
      ...block('fn beginStages()', begin),
      ...this.#functions,
    ];
    return { code: lines.join('\n'), bindings, constants, words };
  }

  /** The function of an intake: the stages of its head, in order, on what is read. */
  take({ input, name, shape }: Intake): void {
    const { from, links } = this.#chain.heads?.[input] ?? { from: input, links: [] };
    const place = { key: `head ${input}`, count: sizeOf(shape) };
    const body = [`var value = ${this.#elements.operand(place, from, links[0]?.shape ?? shape)};`];
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
    const start = from === undefined ? 'given' : this.#elements.operand(values, from, links[0]?.shape ?? []);
    body.push(`var value = ${start};`);
    const stores: string[] = [];
    const store = (text: string, behind: Link | undefined, matches: (output: ChainOutput) => boolean): void => {
      const output = this.#layout.findIndex((own) => own.site === site && matches(own));
      if (output < 0) return;
      stores.push(this.#elements.store(values, output, text, behind?.stage.stores ?? 'f32'));
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

  /** The call of a stage, and apart from it the stores of what it writes in place. */
  #call(
    values: Met,
    link: Link,
    name: string,
  ): { readonly lines: readonly string[]; readonly stores: readonly string[] } {
    const { stage, operation, inputs, shape } = link;
    const { wgsl, settings = {} } = stage;
    for (const source of wgsl.sources) this.#declarations.sources.add(source);
    const isEach = wgsl.on === 'number' && this.#elements.widthOf(values) === 4;
    const set = Object.entries(settings).map(([key, value]) => this.#declarations.setting(`${name}_${key}`, value));

    const targets: string[] = [];
    const given = inputs.flatMap((place, input): string[] => {
      if (place === VALUE) return ['value'];
      if (input === stage.words?.input) return [];
      if (!operation.writes?.includes(input)) return [this.#elements.operand(values, place, shape)];
      const written = this.#written(values, link, input, name);
      targets.push(...written);
      return written;
    });

    const lines: string[] = [];
    const read = given.map((text, i) => {
      if (!isEach || text === 'value') return text;
      lines.push(`let ${name}_${i} = ${text};`);
      return `${name}_${i}`;
    });
    const prepared = wgsl.prepare && this.#prepare(stage, inputs, name, set);
    const more = [...(prepared === undefined ? [] : [prepared]), ...(stage.takesIndex ? ['index'] : []), ...set];
    const isWidened = wgsl.on === 'Element' && values.isSingle === true && this.#elements.width === 4;
    const callWith = (own: readonly string[]): string => {
      const all = [...own, ...more];
      return typeof wgsl.call === 'string' ? `${wgsl.call}(${all.join(', ')})` : wgsl.call(...all);
    };
    const narrowed = (text: string): string => (isWidened ? `firstOf(${text})` : text);
    const called = isEach
      ? `Element(${['x', 'y', 'z', 'w'].map((lane) => callWith(read.map((own) => `${own}.${lane}`))).join(', ')})`
      : callWith(isWidened ? read.map((own) => `Element(${own})`) : read);
    if (targets.length === 0) return { lines: [...lines, `value = ${narrowed(called)};`], stores: [] };
    lines.push(`let ${name} = ${called};`);
    const skips = this.#skips(stage, inputs, name);
    const stores = targets.map((target, i) => {
      const field = wgsl.fields?.[i];
      const store = `${target} = ${narrowed(field === undefined ? name : `${name}.${field}`)};`;
      return skips === undefined ? store : `if (!${skips}) { ${store} }`;
    });
    return { lines, stores };
  }

  /** WGSL: the elements of an input that a stage writes in place, part after part. */
  #written(values: Met, { stage: { parts = {} }, operation, inputs }: Link, input: number, name: string): string[] {
    const output = this.#layout.findIndex(
      (own) => own.site === values.site && own.kind === 'written' && own.output === operation.writes?.indexOf(input),
    );
    const count = parts[input];
    if (count === undefined) return [this.#elements.outputAt(values, output, 'index')];
    const stride = sizeOf(elementAt(this.#inputs, elementAt(inputs, input)).shape) / count;
    return Array.from({ length: count }, (_, part) => {
      const along = (): string => this.#declarations.word(`${name} stride ${input}`, stride);
      return this.#elements.outputAt(values, output, part === 0 ? 'index' : `(index + ${part}u * ${along()})`);
    });
  }

  /** What a stage needs that is the same for all elements, in a variable of each invocation. */
  #prepare(
    { wgsl: { prepare }, words }: Link['stage'],
    inputs: readonly number[],
    name: string,
    set: readonly string[],
  ): string | undefined {
    if (!prepare) return undefined;
    const read = words ? Array.from({ length: words.count }, (_, i) => this.#stateWord(words, inputs, name, i)) : [];
    const value = `${prepare.call}(${[...read, ...set].join(', ')})`;
    return this.#declarations.variable(`${name}_prepared`, prepare.type, value);
  }

  /** Whether a stage writes nothing, in a variable of each invocation; undefined where it always does. */
  #skips({ words, skipsAt }: Link['stage'], inputs: readonly number[], name: string): string | undefined {
    if (!words || skipsAt === undefined) return undefined;
    const value = `${this.#stateWord(words, inputs, name, 0)} == ${skipsAt}u`;
    return this.#declarations.variable(`${name}_skips`, 'bool', value);
  }

  /** WGSL: one of the words that are the same for all elements. */
  #stateWord(words: NonNullable<Link['stage']['words']>, inputs: readonly number[], name: string, i: number): string {
    const state = this.#declarations.bind({ input: elementAt(inputs, words.input) }, 'u32');
    return `${state}[${this.#declarations.word(`${name} word ${i}`, words.from + i)}]`;
  }
}

function block(head: string, lines: readonly string[]): string[] {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), '}'];
}
