import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Answers, Backend, ContestantId, Reply, Request } from './protocol.js';

const worker = fileURLToPath(new URL('worker.ts', import.meta.url));

/** A library in its process, which waits while another one is asked. */
export class Peer {
  readonly id: ContestantId;
  readonly #child: ChildProcess;
  #description = '';
  /** The first complaint of WebGPU that the library did not ask for: what it times then is not the work. */
  #complaint = '';

  private constructor(id: ContestantId, child: ChildProcess) {
    this.id = id;
    this.#child = child;
  }

  /** Starts a library. Rejects, saying why, where it does not run here. */
  static async start(id: ContestantId, backend: Backend): Promise<Peer> {
    const child = fork(worker, [id.name, backend], {
      execArgv: ['--import', import.meta.resolve('tsx')],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const peer = new Peer(id, child);
    child.stderr?.on('data', (chunk: Buffer) => peer.#listen(chunk.toString()));
    await peer.#reply();
    peer.#description = await peer.ask({ ask: 'describe' });
    return peer;
  }

  /** What the library runs on. */
  get description(): string {
    return this.#description;
  }

  /** Asks for one thing and waits for the answer. Rejects with what went wrong there, and when the process ends. */
  async ask<Asked extends Request>(request: Asked): Promise<Answers[Asked['ask']]> {
    this.#child.send(request);
    return (await this.#reply()) as Answers[Asked['ask']];
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }

  #listen(text: string): void {
    if (this.#complaint === '') this.#complaint = /Uncaptured error[^]{0,300}/.exec(text)?.[0].trim() ?? '';
  }

  async #reply(): Promise<Answers[keyof Answers]> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const ended = once(this.#child, 'exit', { signal }).then(([code, by]): never => {
        throw new Error(`${this.id.name}: its process ended (${code ?? by})`);
      });
      const [reply] = (await Promise.race([once(this.#child, 'message', { signal }), ended])) as [Reply];
      if (this.#complaint !== '') throw new Error(`${this.id.name}: ${this.#complaint}`);
      if ('error' in reply) throw new Error(`${this.id.name}: ${reply.error}`);
      return reply.answer;
    } finally {
      waiting.abort();
    }
  }
}
