import * as library from '../../../lib/index.js';
import { record } from '../../../lib/graph/trace.js';
import { formatShape, sizeOf } from '../../../lib/shape.js';
import { Tensor } from '../../../lib/tensor.js';
import { DATA_CODE } from '../data.js';
import { inputSeed, REPLAYS } from './outcome.js';
import { interpret, type RandomProgram } from './program.js';
import { World } from './world.js';

/** A random program as one that a person can paste: it prints the value of that name in an outcome, where one is given. */
export function printProgram(program: RandomProgram, device: string, name: string | undefined): string {
  const world = new World();
  const [, failingCall, result] = /^call (\d+): (.*)$/.exec(name ?? '') ?? [];
  const calls = failingCall === undefined ? program.calls : program.calls.slice(0, Number(failingCall) + 1);
  const functions = program.functions.flatMap(({ inputs }, caller) =>
    calls.some((call) => call.caller === caller) ? [functionCode(world, program, caller, inputs)] : [],
  );
  const callCode = calls.map(({ caller, how }, index) => {
    const inputs = (program.functions[caller]?.inputs ?? []).map(
      (shape, i) => `tensor(numbers(${sizeOf(shape)}, ${inputSeed(index, i)}), { shape: ${formatShape(shape)} })`,
    );
    if (how === 'run') return `await run(() => f${caller}(${inputs.join(', ')}), { device })`;
    if (how === 'repeat') return `await compiled${caller}.repeat(${REPLAYS}, [${inputs.join(', ')}])`;
    return `await compiled${caller}(${inputs.join(', ')})`;
  });
  const last = callCode.length - 1;
  const body = [
    `const device = ${device};`,
    DATA_CODE,
    ...world.code(),
    ...functions,
    ...callCode.map((code, i) => (i === last && result !== undefined ? `const { ${result} } = ${code};` : `${code};`)),
    ...(name === undefined ? [] : [`console.log(${result === undefined ? name : `await ${result}.data()`});`]),
  ].join('\n');
  const used = Object.keys(library).filter((exported) => new RegExp(`(?<![.\\w])${exported}\\(`).test(body));
  world.dispose();
  return `import { ${used.join(', ')} } from 'kernelwright';\n\n${body}`;
}

function functionCode(
  world: World,
  program: RandomProgram,
  caller: number,
  inputs: readonly (readonly number[])[],
): string {
  const placeholders = inputs.map(
    (shape, position) => new Tensor({ shape, dtype: 'f32' }, { kind: 'input', position }),
  );
  const { results, code } = record(() => interpret(world, program, caller, placeholders)).result;
  return [
    `const f${caller} = (${inputs.map((_, i) => `x${i}`).join(', ')}) => {`,
    ...code.map((line) => `  ${line}`),
    `  return { ${Object.keys(results).join(', ')} };`,
    '};',
    `const compiled${caller} = compile(f${caller}, { device });`,
  ].join('\n');
}
