import * as library from '../../../lib/index.js';
import { record } from '../../../lib/graph/trace.js';
import { elementAt } from '../../../lib/element-at.js';
import { formatShape, sizeOf } from '../../../lib/shape.js';
import type { Tensor } from '../../../lib/tensor.js';
import { DATA_CODE } from '../data.js';
import { changeCode } from './change.js';
import { placeholdersFor } from './oracle.js';
import { feedsOf, inputSeed, REPLAYS } from './outcome.js';
import { type Call, groupsOf, interpret, type RandomProgram } from './program.js';
import { World } from './world.js';

/** A random program as one that a person can paste: it prints the value of that name in an outcome, where one is given. */
export function printProgram(program: RandomProgram, devices: readonly string[], name: string | undefined): string {
  const world = new World();
  const [, failingCall, result] = /^call (\d+): (.*)$/.exec(name ?? '') ?? [];
  const groups = groupsOf(program.calls).filter(({ first }) => first <= Number(failingCall ?? Infinity));
  const device = (group: number): string => (devices.length === 1 ? 'device' : `device${group % devices.length}`);
  const names = devices.map((_, place) => device(place));
  const callers = [...new Set(groups.flatMap(({ calls }) => calls.map(({ caller }) => caller)))].sort();
  const functions = new Map(callers.map((caller) => [caller, functionCode(world, program, caller, names)]));
  let before: Record<string, Tensor> = {};
  const callLines = groups.flatMap(({ first, calls: own }, group) => {
    const started = own.map((call, i) =>
      callCode(program, call, first + i, device(group), i === 0 ? before : {}, first - 1),
    );
    before = functions.get(elementAt(own, -1).caller)?.results ?? {};
    const results = own.map((_, i) => `results${first + i}`);
    return [
      ...elementAt(own, 0).changes.flatMap((change) => changeCode(world, change, compiledNames(program, names))),
      own.length === 1
        ? `const ${results.join()} = await ${started.join()};`
        : `const [${results.join(', ')}] = await Promise.all([${started.join(', ')}]);`,
    ];
  });
  const shown = failingCall === undefined ? name : `await results${failingCall}.${result ?? ''}.data()`;
  const body = [
    ...devices.map((code, place) => `const ${device(place)} = ${code};`),
    DATA_CODE,
    ...world.code(),
    ...[...functions.values()].flatMap(({ code }) => code),
    ...callLines,
    ...(shown === undefined || shown.startsWith('taken') ? [] : [`console.log(${shown});`]),
  ].join('\n');
  const used = Object.keys(library).filter((exported) => new RegExp(`(?<![.\\w])${exported}\\(`).test(body));
  world.dispose();
  return `import { ${used.join(', ')} } from 'kernelwright';\n\n${body}`;
}

function callCode(
  { functions }: RandomProgram,
  call: Call,
  index: number,
  device: string,
  before: Readonly<Record<string, Tensor>>,
  last: number,
): string {
  const { caller, how } = call;
  const fed = feedsOf(functions, call, before);
  const inputs = elementAt(functions, caller).inputs.map((shape, i) => {
    const name = fed[i];
    if (name !== undefined) return `results${last}.${name}`;
    return `tensor(numbers(${sizeOf(shape)}, ${inputSeed(index, i)}), { shape: ${formatShape(shape)} })`;
  });
  if (how === 'run') return `run(() => f${caller}(${inputs.join(', ')}), { device: ${device} })`;
  const compiled = compiledName(caller, device);
  if (how === 'repeat') return `${compiled}.repeat(${REPLAYS}, [${inputs.join(', ')}])`;
  return `${compiled}(${inputs.join(', ')})`;
}

function compiledName(caller: number, device: string): string {
  return `compiled${caller}${device.replace('device', device === 'device' ? '' : 'On')}`;
}

function compiledNames({ functions }: RandomProgram, devices: readonly string[]): string[] {
  return functions.flatMap((_, caller) => devices.map((device) => compiledName(caller, device)));
}

function functionCode(
  world: World,
  program: RandomProgram,
  caller: number,
  devices: readonly string[],
): { readonly results: Record<string, Tensor>; readonly code: string[] } {
  const { inputs } = elementAt(program.functions, caller);
  const placeholders = placeholdersFor(inputs.map((shape) => ({ shape, dtype: 'f32' })));
  const { results, code } = record(() => interpret(world, program, caller, placeholders)).result;
  return {
    results,
    code: [
      `const f${caller} = (${inputs.map((_, i) => `x${i}`).join(', ')}) => {`,
      ...code.map((line) => `  ${line}`),
      `  return { ${Object.keys(results).join(', ')} };`,
      '};',
      ...devices.map((device) => `const ${compiledName(caller, device)} = compile(f${caller}, { device: ${device} });`),
    ],
  };
}
