/**
 * A few lines at the end of a terminal's output that are drawn anew in place, while other output goes on above them.
 *
 * Does not own: what the lines say (top-table.ts).
 */

/** Where it is drawn. */
export interface Terminal {
  write(text: string): unknown;
  /** Characters in a line, and lines, as far as is known. */
  readonly columns?: number;
  readonly rows?: number;
}

/** What a terminal has that does not say. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

const ESCAPE = "\u001b[";
const ERASE_BELOW = `${ESCAPE}J`;

export class Screen {
  readonly #terminal: Terminal;
  /** Lines that are drawn at present. */
  #height = 0;
  #lines: string[] = [];
  /** Output that has no end of line yet. */
  #partial = "";

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Draws text in the place of what was drawn last: as much as there is room for. */
  draw(text: string): void {
    const columns = this.#terminal.columns || DEFAULT_COLUMNS;
    const rows = this.#terminal.rows || DEFAULT_ROWS;
    const lines = text.split("\n").slice(0, rows - 1);
    this.#lines = lines.map((line) => line.slice(0, columns));
    this.#terminal.write(this.#erase() + this.#redraw());
  }

  /** Puts output above what is drawn, line by line: the beginning of a line waits for its end. */
  print(output: string): void {
    const end = output.lastIndexOf("\n") + 1;
    if (end === 0) {
      this.#partial += output;
      return;
    }
    const whole = this.#partial + output.slice(0, end);
    this.#partial = output.slice(end);
    this.#terminal.write(this.#erase() + whole + this.#redraw());
  }

  /** What is drawn stays. Output that has no end of line comes before it. */
  end(): void {
    if (this.#partial !== "") this.print("\n");
    this.#height = 0;
  }

  #erase(): string {
    return this.#height === 0 ? "" : `${ESCAPE}${this.#height}A\r${ERASE_BELOW}`;
  }

  #redraw(): string {
    this.#height = this.#lines.length;
    return this.#lines.map((line) => `${line}\n`).join("");
  }
}
