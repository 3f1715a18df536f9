import { type StartedChromium, startChromium } from '../tools/chromium.js';
import type { Page } from './page.js';

/** A page of the tests that is open in the browser. */
export interface Tab {
  /** Calls a function of test/browser/page.ts there; what it throws is thrown here. */
  call<Name extends keyof Page>(
    name: Name,
    ...values: Parameters<Page[Name]>
  ): Promise<Awaited<ReturnType<Page[Name]>>>;
  /** Exceptions that nobody caught, and promises that were rejected and not looked after. */
  readonly uncaught: readonly string[];
  /** From now on the page's origin may keep so many bytes. */
  limitStorage(bytes: number): Promise<void>;
  close(): Promise<void>;
}

/** What the browser sends: the answer to a command, or an event. */
interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: unknown;
  readonly sessionId?: string;
}

/** A value, or an exception, as the DevTools protocol describes it. */
interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: Exception;
}
interface Exception {
  readonly text: string;
  readonly exception?: { readonly description?: string };
}

/** A browser, by the DevTools protocol over a pipe: messages in JSON, each ended by a zero. */
export class Browser {
  readonly #chromium: StartedChromium;
  readonly #waiting = new Map<number, (answer: Message) => void>();
  readonly #listeners = new Set<(event: Message) => void>();
  readonly #gone: Promise<never>;
  #commands = 0;

  private constructor(chromium: StartedChromium) {
    this.#chromium = chromium;
    this.#gone = chromium.ended.then((reason) => {
      throw new Error(reason);
    });
    this.#gone.catch(() => undefined);
    let text = '';
    chromium.messages.on('data', (chunk: Buffer) => {
      const parts = (text + chunk.toString()).split('\0');
      text = parts.pop() ?? '';
      for (const part of parts) this.#receive(JSON.parse(part) as Message);
    });
  }

  static async start(): Promise<Browser> {
    const browser = new Browser(await startChromium());
    try {
      await browser.#send('Browser.getVersion');
      return browser;
    } catch (error) {
      await browser.stop();
      throw error;
    }
  }

  /** Opens an address and waits until its scripts have run. */
  async open(url: string): Promise<Tab> {
    const { targetId } = await this.#send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
    const uncaught: string[] = [];
    const isLoaded = new Promise<void>((resolve) => {
      this.#listeners.add(({ method, params, sessionId: from }) => {
        if (from !== sessionId) return;
        if (method === 'Page.loadEventFired') resolve();
        if (method === 'Runtime.exceptionThrown') {
          uncaught.push(wordsOf((params as { exceptionDetails: Exception }).exceptionDetails));
        }
      });
    });
    await this.#send('Runtime.enable', {}, sessionId);
    await this.#send('Page.enable', {}, sessionId);
    await this.#send('Page.navigate', { url }, sessionId);
    await Promise.race([isLoaded, this.#gone]);
    return {
      uncaught,
      call: async <Name extends keyof Page>(
        name: Name,
        ...values: Parameters<Page[Name]>
      ): Promise<Awaited<ReturnType<Page[Name]>>> => {
        const { result, exceptionDetails } = await this.#send<Evaluated>(
          'Runtime.evaluate',
          {
            expression: `page[${JSON.stringify(name)}](...${JSON.stringify(values)})`,
            awaitPromise: true,
            returnByValue: true,
            allowUnsafeEvalBlockedByCSP: false, // the page's policy holds for what is evaluated, too
          },
          sessionId,
        );
        if (exceptionDetails) throw new Error(`${url}, ${name}: ${wordsOf(exceptionDetails)}`);
        return result.value as Awaited<ReturnType<Page[Name]>>;
      },
      limitStorage: async (quotaSize) => {
        await this.#send('Storage.overrideQuotaForOrigin', { origin: new URL(url).origin, quotaSize }, sessionId);
      },
      close: async () => {
        await this.#send('Target.closeTarget', { targetId });
      },
    };
  }

  stop(): Promise<void> {
    return this.#chromium.stop();
  }

  async #send<Result>(method: string, params: object = {}, sessionId?: string): Promise<Result> {
    const id = ++this.#commands;
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#chromium.commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { result, error } = await Promise.race([answered, this.#gone]);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as Result;
  }

  #receive(message: Message): void {
    if (message.id === undefined) {
      for (const listener of this.#listeners) listener(message);
    } else {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    }
  }
}

function wordsOf({ text, exception }: Exception): string {
  return exception?.description ?? text;
}
