/**
 * What cells of files may be read as that are written, and whose writing back may fail: as they were written last; once their pages may
 * have been dropped, also as the store has them, which has not taken that.
 */

export interface Cell {
  value: string;
  /** What the store has had in its place when the value did not come to it. */
  older: Set<string>;
  /** Pages were dropped since: it may be read from the store. */
  mayBeOld: boolean;
}

export class WrittenCells {
  readonly #files: readonly (readonly Cell[])[];

  /** @param first the cells of each file, which the store has as well */
  constructor(nrFiles: number, first: string) {
    this.#files = Array.from({ length: nrFiles }, () => {
      return Array.from(first, (value) => ({ value, older: new Set<string>(), mayBeOld: false }));
    });
  }

  ofFile(file: number): readonly Cell[] {
    return this.#files[file];
  }

  /** The store was given cells from `first` to before `end`. @param stored what it has of the file now */
  noteStored(file: number, first: number, end: number, stored: string): void {
    for (let at = first; at < end; at++) {
      const cell = this.#files[file][at];
      if (stored[at] === cell.value) cell.older.clear();
      else cell.older.add(stored[at]);
    }
  }

  /** Pages that are not dirty go: what did not come to the store is not dirty any more. */
  notePagesDropped(): void {
    for (const cell of this.#files.flat()) cell.mayBeOld ||= cell.older.size > 0;
  }

  /** It is mounted anew. */
  noteMounted(): void {
    for (const cell of this.#files.flat()) cell.mayBeOld = true;
  }
}

/** Cells are written, by a call that may fail. @returns notes how many of them are known to have been written */
export function writeCells(cells: readonly Cell[], value: string): (nrSure: number) => void {
  const before = cells.map((cell) => cell.value);
  for (const cell of cells) cell.value = value;
  return (nrSure) => {
    for (let i = nrSure; i < cells.length; i++) {
      cells[i].older.add(before[i]);
      cells[i].mayBeOld = true;
    }
  };
}

/** @param got what is read of the first of them, a character each @returns what is wrong with it */
export function compareCells(cells: readonly Cell[], got: string): string | undefined {
  for (const [i, one] of [...got].entries()) {
    const { value, older, mayBeOld } = cells[i];
    if (one === value || (mayBeOld && older.has(one))) continue;
    return `reads ${got}: cell ${i} should be ${[value, ...(mayBeOld ? older : [])].join(" or ")}`;
  }
  return undefined;
}
