/**
 * What real compilers make of printed kernels (tools/kernels.ts), without a GPU: on Debian 12 and 13, x64.
 *
 *     npm run isa -- setup                          Mesa's drivers, once; they go into a folder of their own
 *     npm run isa -- navi31 FILE.wgsl|DIR ...       what the compiler for an RX 7900 makes of them, as a table
 *
 * Dawn (the package `webgpu`) opens Mesa's own drivers for AMD, Intel and NVIDIA on chips that are not there, and they
 * compile each pipeline to the machine code that such a chip would run. Nothing is executed. docs/hardware.md says how to
 * read the table.
 */
import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { helpText, type OptionHelp, parseCommandLine, runProgram } from '../lib/command-line/arguments.js';
import { DataError, DeviceError, OptionError } from '../lib/errors.js';
import { printable } from '../lib/printable.js';
import { suggest } from '../lib/suggest.js';
import { CHIPS } from './isa/chips.js';
import { compileFor, isaFolder } from './isa/compile.js';
import type { MachineCode } from './isa/machine-code.js';
import { root } from './root.js';

const USAGE = 'npm run isa -- setup | CHIP FILE.wgsl|DIR ...';
const OPTIONS = {
  browser: { help: 'as a browser compiles them: indices are clamped' },
  listing: { value: 'FILE', help: 'keep all that the driver prints: the machine code, and what it came from' },
} as const satisfies Record<string, OptionHelp>;

await runProgram('isa', async (args) => {
  const { values, words } = parseCommandLine(args, OPTIONS);
  const [name, ...paths] = words;
  if (values.help || name === undefined) {
    const chips = [...CHIPS].map(([chip, { title }]) => `  ${chip.padEnd(28)}${title}`);
    console.log([helpText(USAGE, OPTIONS), '', 'CHIP is one of', ...chips].join('\n'));
    return values.help ? 0 : 2;
  }
  if (name === 'setup') return setUp();
  const chip = CHIPS.get(name);
  if (!chip) {
    const chips = [...CHIPS.keys()];
    throw new OptionError(`unknown chip '${printable(name)}': expected ${chips.join(', ')}${suggest(name, chips)}`);
  }
  const files = (await Promise.all(paths.map(kernelsAt))).flat();
  if (files.length === 0) throw new OptionError(`expected files that npm run kernels has printed: ${USAGE}`);
  const compiled = await compileFor(name, chip, files, {
    isBrowser: values.browser === true,
    listing: values.listing === undefined ? undefined : String(values.listing),
  });
  console.log(tableOf(compiled));
  return 0;
});

function setUp(): Promise<number> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new DeviceError(
      `Mesa's drivers are set up on Debian 12 and 13 on x64; this is ${process.platform} on ${process.arch}`,
    );
  const child = spawn('bash', [join(root, 'tools/isa/setup.sh'), isaFolder()], { stdio: 'inherit' });
  return new Promise((settle, reject) => child.on('error', reject).on('close', (code) => settle(code ?? 1)));
}

/** A file, or the kernels in a folder. */
async function kernelsAt(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw new DataError(`there is no ${printable(path)}`);
  if (!found.isDirectory()) return [resolve(path)];
  const names = (await readdir(path)).filter((file) => file.endsWith('.wgsl')).sort();
  return names.map((file) => resolve(path, file));
}

function tableOf(compiled: ReadonlyMap<string, MachineCode>): string {
  const head = [
    'kernel',
    'lanes',
    'registers',
    'spills',
    'scratch',
    'waves',
    'instructions',
    'hot',
    'multiply-adds',
    'workgroup reads',
    'stack',
  ];
  const rows = [...compiled].map(([file, code]) => {
    const { lanes, registers, spills, scratchBytes, waves, mostWaves, instructions, hot } = code;
    const occupancy = waves === undefined ? undefined : `${waves}/${mostWaves}`;
    const inLoop = `${hot.instructions}${hot.depth > 0 ? ' in a loop' : ''}`;
    const cells = [
      lanes,
      registers,
      spills,
      scratchBytes,
      occupancy,
      instructions,
      inLoop,
      hot.multiplyAdds,
      hot.workgroupReads,
      hot.stackAccesses,
    ];
    return [basename(file, '.wgsl'), ...cells.map((cell) => (cell === undefined ? '-' : String(cell)))];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
