import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'tape';
import { adapterEnvironment } from '../../tools/adapters.js';
import { root } from '../../tools/root.js';

test("lavapipe is found by the file that VK_ICD_FILENAMES names, before the system's own", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'adapters-'));
  const driver = join(folder, 'lvp_icd.test.json');
  writeFileSync(driver, '{}');
  const before = { VK_ICD_FILENAMES: process.env['VK_ICD_FILENAMES'], VK_DRIVER_FILES: process.env['VK_DRIVER_FILES'] };
  process.env['VK_ICD_FILENAMES'] = driver;
  delete process.env['VK_DRIVER_FILES'];
  try {
    t.deepEqual(await adapterEnvironment('lavapipe'), { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver });
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    rmSync(folder, { recursive: true });
  }
});

test('the launcher refuses an adapter that it does not know, and names those that it does', (t) => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'tools/launch.ts', '--adapter', 'bench/step.ts', '--adapter', 'lavapip'],
    { cwd: root, encoding: 'utf8' },
  );
  t.equal(status, 1);
  t.match(stderr, /unknown adapter 'lavapip': expected default, swiftshader, lavapipe/);
  t.end();
});
