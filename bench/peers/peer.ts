import { once } from 'node:events';
import type { AdapterName } from '../../tools/adapters.js';
import { connect, type Connection, type Surroundings } from './connection.js';
import type { Answers, ContestantId, Reply, Request } from './protocol.js';

/** A library in its process, which waits while another one is asked. */
export class Peer {
  readonly id: ContestantId;
  /** For people: the library, and its adapter where there are several. */
  readonly name: string;
  /** Which adapter it is on, if any. */
  readonly adapter: AdapterName | undefined;
  readonly #connection: Connection;
  #description = '';
  /** The first complaint of WebGPU that the library did not ask for: what it times then is not the work. */
  #complaint = '';

  private constructor(id: ContestantId, name: string, adapter: AdapterName | undefined, connection: Connection) {
    this.id = id;
    this.name = name;
    this.adapter = adapter;
    this.#connection = connection;
  }

  /** Starts a library. Rejects, saying why, where it does not run here. */
  static async start(id: ContestantId, surroundings: Surroundings, name: string, adapter?: AdapterName): Promise<Peer> {
    const connection = connect(id, surroundings);
    const peer = new Peer(id, name, adapter, connection);
    connection.child.stderr?.on('data', (chunk: Buffer) => peer.#listen(chunk.toString()));
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
    this.#connection.send(request);
    return (await this.#reply()) as Answers[Asked['ask']];
  }

  stop(): void {
    this.#connection.child.kill('SIGKILL');
  }

  #listen(text: string): void {
    if (this.#complaint === '') this.#complaint = /Uncaptured error[^]{0,300}/.exec(text)?.[0].trim() ?? '';
  }

  async #reply(): Promise<Answers[keyof Answers]> {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      const ended = once(this.#connection.child, 'exit', { signal }).then(([code, by]): never => {
        throw new Error(`its process ended (${code ?? by})`);
      });
      const reply: Reply = await Promise.race([this.#connection.reply(signal), ended]);
      if (this.#complaint !== '') throw new Error(this.#complaint);
      if ('error' in reply) throw new Error(reply.error);
      return reply.answer;
    } catch (error) {
      throw new Error(`${this.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      waiting.abort();
    }
  }
}
