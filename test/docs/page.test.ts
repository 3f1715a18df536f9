import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'tape';
import { createServer } from 'vite';
import { launchChromium } from '../../tools/chromium.js';
import { root } from '../../tools/root.js';

test('the page of README.md learns its ring, and draws it', async (t) => {
  const [, page] = /^```html\n(.*?)^```$/ms.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  if (page === undefined) throw new Error('README.md has no page');
  const folder = join(root, 'runs/docs-page');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'index.html'), page);

  const context = await launchChromium();
  // As `npx vite` serves it, but for the package, which is here and not installed.
  const server = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { kernelwright: join(root, 'lib/index.ts') } },
    optimizeDeps: { noDiscovery: true },
    server: { host: '127.0.0.1', hmr: false, watch: null, fs: { allow: [root] } },
  });
  try {
    await server.listen();
    const tab = await context.newPage();
    const uncaught: string[] = [];
    tab.on('pageerror', ({ message }) => uncaught.push(message));
    // The same places in every run.
    await tab.addInitScript('let state = 1; Math.random = () => (state = (state * 48271) % 2147483647) / 2147483647;');
    await tab.goto(server.resolvedUrls?.local[0] ?? '');
    const told = await tab.getByText(/^epoch 100: /).textContent();
    t.ok(Number(/accuracy ([\d.]+)/.exec(told ?? '')?.[1]) > 0.8, told ?? '');
    // Opaque on the ring, all but transparent in its middle.
    const alphaAt = (x: number, y: number) =>
      tab.evaluate(`document.querySelector('#map').getContext('2d').getImageData(${x}, ${y}, 1, 1).data[3]`);
    t.ok(Number(await alphaAt(80, 50)) > 127);
    t.ok(Number(await alphaAt(50, 50)) < 127);
    t.deepEqual(uncaught, [], 'no exception went uncaught');
  } finally {
    await context.close();
    await server.close();
  }
});
