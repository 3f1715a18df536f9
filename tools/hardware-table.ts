/**
 * The table of docs/hardware.md: what the compilers of AMD, Intel and NVIDIA make of the kernels that are taken unmeasured, at
 * the sizes of the benchmarks and in MyNet's training step (`npm run hardware-table`; it wants `npm run isa -- setup`).
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { markdownTable } from 'markdown-table';
import { runProgram } from '../lib/command-line/arguments.js';
import { writeFileAtomically } from '../lib/node/write-file.js';
import { type Chip, CHIPS, DRIVERS } from './isa/chips.js';
import { compileFor } from './isa/compile.js';
import type { MachineCode } from './isa/machine-code.js';
import { printKernels } from './kernels.js';
import { root } from './root.js';

const BEGIN = '<!-- made by npm run hardware-table, do not edit -->\n<!-- prettier-ignore-start -->\n';
const END = '<!-- prettier-ignore-end -->\n';

/** Machine code by chip, for each row of the table. */
type Rows = Map<string, Map<string, MachineCode[]>>;

await runProgram('hardware-table', async () => {
  const path = join(root, 'docs/hardware.md');
  const document = await readFile(path, 'utf8');
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${path} has no lines\n${BEGIN}${END}`);
  const rows: Rows = new Map();
  await Promise.all(
    Object.keys(DRIVERS).map(async (vendor) => {
      for (const [name, chip] of CHIPS) {
        if (chip.vendor !== vendor) continue;
        await addColumn(rows, name, chip);
        console.error(name);
      }
    }),
  );
  const table = tableOf(rows);
  await writeFileAtomically(path, `${document.slice(0, begin + BEGIN.length)}\n${table}\n\n${document.slice(end)}`);
  return 0;
});

/** Adds what a chip's compiler makes of the kernels that are chosen for its maker. */
async function addColumn(rows: Rows, name: string, chip: Chip): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'kernelwright-kernels-'));
  try {
    const files: string[] = [];
    for (const [kind, uses] of [
      ['benchmarks', ['--benchmarks']],
      ['step', ['--step', 'mynet']],
    ] as const) {
      const place = join(folder, kind);
      await printKernels([place, '--target', chip.vendor, ...uses]);
      files.push(...(await readdir(place)).sort().map((file) => join(place, file)));
    }
    for (const [file, code] of await compileFor(name, chip, files)) {
      const row = rows.get(rowOf(file)) ?? new Map<string, MachineCode[]>();
      rows.set(rowOf(file), row.set(name, [...(row.get(name) ?? []), code]));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The kernel's name without its number; kernels of single elements share a row, because all of them are alike. */
function rowOf(file: string): string {
  const name = basename(file).replace(/(-\d+)?\.wgsl$/, '');
  return name.endsWith('-elementwise') ? 'elementwise' : name;
}

function tableOf(rows: Rows): string {
  const names = [...CHIPS.keys()];
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  const cells = sorted.map(([row, codes]) => [
    `\`${row}\``,
    String(Math.max(...[...codes.values()].map(({ length }) => length))),
    ...names.map((name) => cellOf(codes.get(name) ?? [])),
  ]);
  return markdownTable([['kernel', 'texts', ...names], ...cells], { alignDelimiters: false });
}

/** The worst of each figure. */
function cellOf(codes: readonly MachineCode[]): string {
  const [first] = codes;
  if (!first) return '';
  const worst = (figure: (code: MachineCode) => number | undefined): number =>
    Math.max(...codes.map((code) => figure(code) ?? 0));
  const hot = codes.map((code) => code.hot).reduce((a, b) => (shareOf(b) < shareOf(a) ? b : a));
  const waves = Math.min(...codes.map((code) => code.waves ?? Infinity));
  const faults = [
    [worst(({ spills }) => spills), 'spills'],
    [worst(({ scratchBytes }) => scratchBytes), 'B scratch'],
    [worst((code) => code.hot.stackAccesses), 'on the stack'],
  ] as const;
  return [
    first.registers === undefined
      ? `SIMD${Math.min(...codes.map(({ lanes }) => lanes))}`
      : worst(({ registers }) => registers),
    ...(first.mostWaves === undefined ? [] : [`${waves}/${first.mostWaves}`]),
    hot.multiplyAdds > 0 ? `${hot.multiplyAdds}/${hot.instructions}` : hot.instructions,
    ...faults.filter(([value]) => value > 0).map(([value, what]) => `**${value} ${what}**`),
  ].join(' · ');
}

function shareOf({ multiplyAdds, instructions }: MachineCode['hot']): number {
  return multiplyAdds / instructions;
}
