/**
 * Views of pages as programs have them: bytes that are the file system's own, as long as the view is held.
 *
 * Does not own: how pages are pinned (vfs/page-view.ts).
 */
import type { PageRun } from "../vfs/page-view.ts";
import type { Bytes } from "./face/platform-types.ts";
import { DISPOSE, emitWarning, NodeBuffer } from "./platform.ts";

/**
 * Bytes of a file, straight from the page cache: nothing is copied. Their frames are pinned until release(): they are neither
 * reclaimed nor moved, and count against a limit (setMaxPinned() of foliofs/store). What is written to the file meanwhile is seen
 * in them; when the file is cut they are as they were.
 *
 * @example
 * using view = fs.readView(fd, 0, 1 << 20);
 * for (let done = 0; done < view.length; done += 4096) await send(view.bytes.subarray(done, done + 4096));
 */
export class PageView {
  readonly #run: PageRun;
  #bytes: Uint8Array | undefined;
  #isReleased = false;

  /** Made by readView(), and read() and write() of a mapping. @internal */
  constructor(run: PageRun) {
    this.#run = run;
    if (run.name !== undefined) reportIfForgotten(this, run.name);
  }

  /** Bytes, fewer than were asked for where the run of frames, or the file, ends. */
  get length(): number {
    return this.#run.length;
  }

  /**
   * The bytes. Without `preallocate: true` memory may grow with each call on the file system, and what was got before is empty
   * then: take `bytes` again after each.
   *
   * @throws ERR_INVALID_STATE after release(), and when the memory has gone (a rollback, destroy())
   */
  get bytes(): Bytes {
    if (this.#isReleased || this.#run.isGone)
      throw invalidState(`view has been ${this.#isReleased ? "released" : "lost"}`);
    const { memory, address, length } = this.#run;
    if (this.#bytes?.buffer !== memory)
      this.#bytes = NodeBuffer?.from(memory, address, length) ?? new Uint8Array(memory, address, length);
    return this.#bytes as Bytes;
  }

  /** Lets go of the frames: nobody may use `bytes` of the view, however it has been got, any more. Doing it again changes nothing. */
  release(): void {
    this.#isReleased = true;
    this.#bytes = undefined;
    this.#run.release();
    forgotten?.unregister(this);
  }

  /** release(), for `using`. */
  [DISPOSE](): void {
    this.release();
  }
}

/** An error about an object that cannot do it any more. */
export function invalidState(what: string): Error {
  return Object.assign(new Error(`foliofs: ${what}`), { code: "ERR_INVALID_STATE" });
}

const { FinalizationRegistry: Registry } = globalThis as { FinalizationRegistry?: typeof FinalizationRegistry };
let forgotten: FinalizationRegistry<string> | undefined;

/** Reports a view that is collected and was not released: its frames stay pinned, since nobody knows who has its bytes. */
function reportIfForgotten(view: PageView, name: string): void {
  forgotten ??=
    Registry && new Registry((lost) => emitWarning(`A view of ${lost} was never released`, "FoliofsWarning"));
  forgotten?.register(view, name, view);
}
