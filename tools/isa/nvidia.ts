import { type BackEdge, count, hotBlock, type MachineCode, numberAfter, type PlainBlock } from './machine-code.js';

/** Registers of a multiprocessor, which its warps share; a warp has them by eights for each of its 32 lanes. */
const REGISTERS = 65_536;
const LANES = 32;

/** Reads what NVK prints of a kernel with NAK_DEBUG=print: its code after each pass, the last of which is what runs. */
export function readNvidia(lines: readonly string[], mostWaves: number): MachineCode {
  const code = lines.slice(lines.findLastIndex((line) => line.startsWith('NAK IR after ')) + 1);
  const blocks: string[][] = [];
  const targets: number[][] = [];
  for (const line of code) {
    if (/^block\S* \d+ /.test(line)) blocks.push([]);
    else if (line.includes('// delay=')) blocks.at(-1)?.push(line.replace(/^@\S+/, '').trim());
    else if (line.startsWith('} -> [')) targets.push((line.match(/\d+/g) ?? []).map(Number));
  }
  const loops = targets.flatMap((ends, from) => ends.filter((to) => to <= from).map((to): BackEdge => ({ from, to })));
  const registers = numberAfter('Num GPRs', lines);
  const scratchBytes = numberAfter('SLM size', lines);
  const warps = Math.floor(REGISTERS / (LANES * 8 * Math.ceil(registers / 8)));
  return {
    registers,
    spills: 0, // they are among the bytes of scratch
    scratchBytes,
    lanes: LANES,
    waves: Math.min(mostWaves, warps),
    mostWaves,
    instructions: numberAfter('Instruction count', lines),
    hot: hotBlock(
      blocks.map((block): PlainBlock => {
        const operations = block.map(operationOf);
        return {
          instructions: block.length,
          multiplyAdds: count(operations, /^ffma/),
          workgroupReads: count(operations, /^ld\.shared/),
          stackAccesses: count(operations, /^(ld|st)\.local/),
        };
      }),
      loops,
    ),
  };
}

/** `ffma.ftz` of `r54 = ffma.ftz r54 r139 r64`, and of instructions without a result their first word. */
function operationOf(line: string): string {
  return /(?:^|= )([a-z][\w.]*)/.exec(line.replace(/^[^=/]*= /, '= '))?.[1] ?? '';
}
