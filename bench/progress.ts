/** Shows how far a run is: one line that is written over on a terminal, one line a row elsewhere. On stderr. */

export class Progress {
  readonly #nrSteps: number;
  readonly #startMs = performance.now();
  #done = 0;
  #row = "";

  constructor(nrSteps: number) {
    this.#nrSteps = nrSteps;
  }

  /** Before a step. @param row title of the row @param detail contender and round */
  step(row: string, detail: string): void {
    const percent = Math.floor((100 * this.#done++) / this.#nrSteps);
    const head = `${String(percent).padStart(3)} %  ${this.#seconds().padEnd(20)}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${head}${row} · ${detail}`);
    else if (row !== this.#row) process.stderr.write(`${head}${row}\n`);
    this.#row = row;
  }

  finish(): void {
    const seconds = Math.round((performance.now() - this.#startMs) / 1000);
    process.stderr.write(`${process.stderr.isTTY ? "\r\x1b[2K" : ""}100 %  took ${seconds} s\n`);
  }

  /** Seconds gone, and a guess at those left. */
  #seconds(): string {
    const elapsedS = (performance.now() - this.#startMs) / 1000;
    const leftS = (elapsedS / this.#done) * (this.#nrSteps - this.#done);
    return elapsedS < 2 ? `${elapsedS.toFixed(0)} s` : `${elapsedS.toFixed(0)} s, ${leftS.toFixed(0)} s left`;
  }
}
