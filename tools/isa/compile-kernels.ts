/**
 * Has the WebGPU adapter at hand compile printed kernels (tools/kernels.ts), one after the other, and marks on stderr, where
 * a driver prints its listings, where each begins. tools/isa/compile.ts starts it in a driver's environment:
 *
 *     node --import tsx tools/isa/compile-kernels.ts TOGGLES FILE...
 */
import { writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { create } from 'webgpu';
import { findAdapter } from '../../lib/device/webgpu/adapter.js';
import { END, MARK } from './marks.js';

const [toggles = '', ...files] = process.argv.slice(2);
const dawn = create(toggles === '' ? [] : [`enable-dawn-features=${toggles}`]);
const adapter = await findAdapter(dawn);
if (!adapter) throw new Error('Dawn found no adapter');
const { gpu } = await adapter.open('for its machine code');
const mark = (text: string) => writeSync(2, `\n${MARK}${text}\n`); // not by process.stderr: a pipe that does not block would lose what the driver prints

for (const file of files) {
  const code = await readFile(file, 'utf8');
  const { entryPoint, constants } = JSON.parse(code.slice(3, code.indexOf('\n'))) as {
    entryPoint: string;
    constants: Record<string, number>;
  };
  mark(file);
  const module = gpu.createShaderModule({ code });
  await gpu.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint, constants } });
}
mark(END);
process.exit(0); // a device that is not there need not be closed
