import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

import { root } from '../../tools/root.js';

const isolated = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const policy = (text: string) => ({ 'Content-Security-Policy': text });

/** The pages, by path: all hold the same program, and differ by the headers that they are served with. */
const PAGES = {
  '/isolated': isolated,
  '/not-isolated': {},
  '/no-workers': { ...isolated, ...policy("default-src 'self' 'wasm-unsafe-eval'") },
  '/no-worker-from-text': {
    ...isolated,
    ...policy("script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; require-trusted-types-for 'script'"),
  },
  '/no-webassembly': { ...isolated, ...policy("default-src 'self'; worker-src blob:") },
  '/opaque-origin': policy('sandbox allow-scripts'),
} as const;

/** Path of a page. */
export type PagePath = keyof typeof PAGES;

/** The pages on a server of this machine. */
export interface Site {
  urlOf(path: PagePath): string;
  close(): void;
}

/** Bundles test/browser/page.ts as users bundle their programs, and serves it. */
export async function serveSite(): Promise<Site> {
  const script = await bundle();
  const server = createServer(({ url = '' }, response) => {
    if (url === '/page.js') {
      // An origin of its own, which a sandboxed page has, may read it too.
      response.setHeader('Access-Control-Allow-Origin', '*');
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
      response.setHeader('Content-Type', 'text/javascript').end(script);
    } else if (url in PAGES) {
      for (const [name, value] of Object.entries(PAGES[url as PagePath])) response.setHeader(name, value);
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end('<!doctype html><title>kernelwright</title><script type="module" src="/page.js"></script>');
    } else {
      response.writeHead(url === '/favicon.ico' ? 204 : 404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    urlOf: (path) => `http://127.0.0.1:${address.port}${path}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bundle(): Promise<string> {
  const built = await build({
    root,
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { kernelwright: `${root}lib/index.ts` } },
    build: { write: false, rolldownOptions: { input: fileURLToPath(new URL('page.ts', import.meta.url)) } },
  });
  if (!Array.isArray(built) && !('output' in built)) throw new Error('Vite is watching instead of building');
  const [chunk, ...others] = [built].flat().flatMap(({ output }) => output);
  if (chunk?.type !== 'chunk' || others.length > 0) throw new Error('the program is not one file');
  return chunk.code;
}
