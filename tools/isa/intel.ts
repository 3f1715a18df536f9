import { type BackEdge, count, hotBlock, type MachineCode } from './machine-code.js';

const STATISTICS = /^SIMD(\d+) shader: (\d+) instructions\..* (\d+):(\d+) spills:fills/;

/** Reads what ANV prints of a kernel with INTEL_DEBUG=cs. */
export function readIntel(lines: readonly string[]): MachineCode {
  const code = lines.slice(lines.findLastIndex((line) => line.startsWith('Native code')) + 1);
  const [, lanes, instructions, spills, fills] = STATISTICS.exec(code[0] ?? '') ?? [];
  if (lanes === undefined) throw new Error('a listing without a line of statistics');
  const labels: number[] = [];
  const blocks: string[][] = [];
  const loops: BackEdge[] = [];
  for (const line of code) {
    const [, start] = /^\s+START B(\d+)/.exec(line) ?? [];
    const [, end, targets = ''] = /^\s+END B(\d+)(.*)/.exec(line) ?? [];
    if (start !== undefined) {
      labels.push(Number(start));
      blocks.push([]);
    } else if (end !== undefined) {
      const from = labels.indexOf(Number(end));
      for (const [, target] of targets.matchAll(/->B(\d+)/g)) {
        const to = labels.indexOf(Number(target));
        if (from >= 0 && to >= 0 && to <= from) loops.push({ from, to });
      }
    } else blocks.at(-1)?.push(line.trim());
  }
  return {
    registers: undefined, // a thread always has 128
    spills: Number(spills) + Number(fills),
    scratchBytes: undefined,
    lanes: Number(lanes),
    waves: undefined,
    mostWaves: undefined,
    instructions: Number(instructions),
    hot: hotBlock(
      blocks.map((block) => ({
        instructions: count(block, /^(\(\S+\) )?[a-z][\w.]*\(\d+\)/), // `sync nop(1)` waits,
        multiplyAdds: count(block, /^(\(\S+\) )?(mad|mac)\S*\(\d+\)\s+\S+F\s/), // those of integers are addresses
        workgroupReads: count(block, /MsgDesc.*read.*Surface = 254|slm MsgDesc: \( load/),
        // Messages to the stack: its own entry of the binding table up to Xe-LP, a surface state from Xe-HPG on.
        stackAccesses: count(block, /MsgDesc.*bti 25[35]\b|MsgDesc.*, ss \)/),
      })),
      loops,
    ),
  };
}
