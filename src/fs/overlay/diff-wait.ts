/**
 * What a comparison that may wait keeps from one try to the next. A try is a whole comparison: where a store has to answer first, names beside
 * are asked for meanwhile, up to some number, and when there are answers all is tried again. The last try waits for nothing, so its names and
 * attributes are of one moment.
 *
 * Data alone is not compared twice: what is known of two files, or how far their comparison has come, is kept as long as these say that
 * they are as they were. Nothing of the kernel is held meanwhile.
 *
 * Does not own: how trees and data are compared (diff-tree.ts, diff-data.ts).
 */
import { EAGAIN } from "../../base/errno.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import {
  STAT_CTIME_NSEC,
  STAT_CTIME_SEC,
  STAT_INO,
  STAT_MTIME_NSEC,
  STAT_MTIME_SEC,
  STAT_SIZE,
} from "../../vfs/syscalls.ts";
import { type DataChange, type DataProgress, newProgress } from "./diff-data.ts";

/** Answers that are waited for at a time. */
const MAX_QUESTIONS = 64;
/** Tries that come no further than those before, one after the other: then what is answered does not stay in memory. */
const MAX_TRIES_IN_VAIN = 100;
/** What says that a file is as it was. */
const FIELDS = [STAT_INO, STAT_SIZE, STAT_MTIME_SEC, STAT_MTIME_NSEC, STAT_CTIME_SEC, STAT_CTIME_NSEC];

/** A file, by what stat() says and where it is. */
export interface ComparedFile {
  readonly path: string;
  readonly stat: Float64Array;
}

function keyOf({ path, stat }: ComparedFile): string {
  return `${path}\0${FIELDS.map((field) => stat[field]).join()}`;
}

export class DiffWait {
  #tokens: Promise<void>[] = [];
  readonly #known = new Map<string, DataChange | undefined>();
  readonly #begun = new Map<string, DataProgress>();
  /** Names that this try has done, and the most of one before. */
  #nrNames = 0;
  #mostNames = -1;
  #nrInVain = 0;

  /** Has a store been asked for something in this try? */
  get hasAsked(): boolean {
    return this.#tokens.length > 0;
  }

  /** A call is -EAGAIN: notes what it waits for. @returns true if others may be asked meanwhile */
  note(kernel: Kernel): boolean {
    const token = kernel.takeWaitToken();
    if (token === undefined) return false;
    token.catch(() => {}); // who asks again is told
    this.#tokens.push(token);
    return this.#tokens.length < MAX_QUESTIONS;
  }

  /** A name is done, in this try. */
  noteDone(): void {
    this.#nrNames++;
  }

  /** Waits for what has been asked for. @returns false where it is nothing, or where to try again would be in vain */
  async answers(): Promise<boolean> {
    const tokens = this.#tokens;
    this.#tokens = [];
    this.#nrInVain = this.#nrNames > this.#mostNames ? 0 : this.#nrInVain + 1;
    this.#mostNames = Math.max(this.#mostNames, this.#nrNames);
    this.#nrNames = 0;
    await Promise.allSettled(tokens);
    return tokens.length > 0 && this.#nrInVain < MAX_TRIES_IN_VAIN;
  }

  /** Compares data of two files, or goes on with that. @returns as compareData() */
  compare(
    a: ComparedFile,
    b: ComparedFile,
    compare: (progress: DataProgress) => DataChange | undefined | number,
  ): DataChange | undefined | number {
    const key = `${keyOf(a)}\0${keyOf(b)}`;
    if (this.#known.has(key)) return this.#known.get(key);
    const progress = this.#begun.get(key) ?? newProgress();
    const before = progress.pos;
    const change = compare(progress);
    if (progress.pos > before) this.#nrInVain = 0;
    if (change === -EAGAIN) this.#begun.set(key, progress);
    else this.#begun.delete(key);
    if (typeof change !== "number") this.#known.set(key, change);
    return change;
  }
}
