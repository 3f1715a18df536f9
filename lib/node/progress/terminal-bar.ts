import cliProgress from 'cli-progress';

/** Columns of the bar itself. */
const WIDTH = 24;

/** Where progress is shown: a stream of text, which may be a terminal, such as `process.stderr`. */
export interface ProgressStream extends NodeJS.WritableStream {
  /** Whether it is a terminal. */
  readonly isTTY?: boolean;
  /** Of a terminal: its width. */
  readonly columns?: number;
}

interface Payload {
  readonly line: string;
}

/** The bars that stand in the last lines of terminals at the moment. */
const shown = new Map<ProgressStream, TerminalBar>();

/** Takes the bar away, so that the last line of a terminal is free for something else. */
export function eraseBar(stream: ProgressStream): void {
  shown.get(stream)?.stop(false);
}

/** A bar in the last line of a terminal, with a text behind it. It is drawn at most ten times a second. */
export class TerminalBar {
  readonly #stream: ProgressStream;
  #bar: cliProgress.SingleBar | undefined;
  #line = '';

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  /** Shows how much is done, in place of a bar that is there; also where this one was erased. */
  update(value: number, total: number, text: string): void {
    const line = `${drawn(Math.min(value / total, 1))} ${text}`;
    this.#line = line;
    if (this.#bar) {
      this.#bar.update(value, { line });
      return;
    }
    eraseBar(this.#stream);
    shown.set(this.#stream, this);
    this.#bar = new cliProgress.SingleBar({
      format: (_options, _progress, payload: Payload) => payload.line,
      stream: this.#stream,
      linewrap: true, // it is cut to the width of the terminal
      clearOnComplete: true,
    });
    this.#bar.start(total, value, { line });
  }

  /** Draws it a last time, and leaves it there or takes it away. */
  stop(leave: boolean): void {
    if (!this.#bar) return;
    shown.delete(this.#stream);
    this.#bar.stop();
    this.#bar = undefined;
    if (leave) this.#stream.write(`${this.#line.slice(0, this.#stream.columns)}\n`);
  }
}

function drawn(share: number): string {
  const filled = Math.floor(share * WIDTH);
  return `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${String(Math.floor(100 * share)).padStart(3)} %`;
}

/** A time for people: `0:07`, `12:30`, `1:02:03`. */
export function clockText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-:--';
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
