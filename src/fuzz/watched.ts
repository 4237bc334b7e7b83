/**
 * What a task is told of what it watches: events of fs.watch() in the order in which they come, each a line with the slot of its watcher.
 *
 * Events come in later turns of the event loop: whoever runs a program lets it turn before EVENTS, which takes what has come, and at no
 * other time, since equal events are one until they are read.
 */
import type { NodeFs } from "./perform.ts";

/** The call before which the event loop has to turn. */
export const EVENTS = "events";

/** What Linux calls a file that was made without a name: by the number of its inode. */
const UNNAMED = /^#\d+$/;

interface Watcher {
  close(): void;
}

/** Lets all events come. Two turns: what is read in one may have been waited for in a phase of it that was over. */
export async function turnEventLoop(): Promise<void> {
  for (let left = 2; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}

export class Watched {
  readonly #watchers = new Map<unknown, Watcher>();
  readonly #events: string[] = [];
  /** Whether events may be on their way. */
  isUsed = false;

  /** In the place of what the slot had. @throws what fs.watch() throws */
  watch(fs: NodeFs, path: string | Buffer, slot: unknown): void {
    const watcher = fs.watch(path, { persistent: false, encoding: "buffer" }, (type, name) => {
      this.#events.push(
        `${slot} ${type} ${JSON.stringify((name as Buffer | null)?.toString("latin1").replace(UNNAMED, "#"))}`,
      );
    });
    this.isUsed = true;
    this.close(slot);
    this.#watchers.set(slot, watcher);
  }

  close(slot: unknown): void {
    this.#watchers.get(slot)?.close();
    this.#watchers.delete(slot);
  }

  /** What has come since the last time. */
  take(): string {
    return this.#events.splice(0).join("\n");
  }

  reset(): void {
    this.isUsed = false;
    for (const slot of this.#watchers.keys()) this.close(slot);
    this.take();
  }
}
