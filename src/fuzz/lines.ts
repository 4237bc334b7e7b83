/** Lines of text between processes: to what is open as a descriptor at once, and out of what comes in pieces. */
import { writeSync } from "node:fs";

const NEWLINE = 10;

/** Writes a line, and returns when all of it is on its way: it is not lost with the process. The text has no newline. */
export function writeLine(fd: number, text: string): void {
  const bytes = Buffer.from(`${text}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Puts lines together. */
export class LineReader {
  /** Of a line whose end has not come. */
  #parts: Buffer[] = [];

  /** @param bytes the next piece, which is the reader's from now on @returns the lines that end in it */
  read(bytes: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      this.#parts.push(bytes.subarray(from, at));
      lines.push(Buffer.concat(this.#parts).toString());
      this.#parts = [];
      from = at + 1;
    }
    if (from < bytes.length) this.#parts.push(bytes.subarray(from));
    return lines;
  }
}
