/** What watchers tell of a few changes, on whatever has the face of node:fs: in a page, and on the host for comparison. */
import type * as nodeFs from "node:fs";

type Fs = Pick<
  typeof nodeFs,
  | "appendFileSync"
  | "chmodSync"
  | "mkdirSync"
  | "promises"
  | "renameSync"
  | "rmdirSync"
  | "unlinkSync"
  | "unwatchFile"
  | "watch"
  | "watchFile"
  | "writeFileSync"
>;

export interface Watched {
  /** Of fs.watch(), each with its name. */
  readonly events: readonly string[];
  /** Of fs.promises.watch(), and what it ends with. */
  readonly changes: readonly string[];
  /** Of fs.watchFile(): sizes now and before. */
  readonly sizes: readonly (readonly number[])[];
}

/** Comes last: what is told of it has all else before it. */
const LAST = "last";
const INTERVAL_MS = 10;

function changeAll(fs: Fs, root: string): void {
  fs.writeFileSync(`${root}/a`, "text");
  fs.appendFileSync(`${root}/a`, "more");
  fs.chmodSync(`${root}/a`, 0o600);
  fs.renameSync(`${root}/a`, `${root}/b`);
  fs.mkdirSync(`${root}/ü`);
  fs.rmdirSync(`${root}/ü`);
  fs.unlinkSync(`${root}/b`);
  fs.mkdirSync(`${root}/${LAST}`);
}

async function watchedEvents(fs: Fs, root: string): Promise<string[]> {
  const events: string[] = [];
  await new Promise<void>((resolve) => {
    const watcher = fs.watch(root, (eventType, filename) => {
      events.push(`${eventType} ${filename}`);
      if (filename === LAST) watcher.close();
    });
    watcher.once("close", resolve);
    changeAll(fs, root);
  });
  return events;
}

async function iterated(fs: Fs, root: string): Promise<string[]> {
  const controller = new AbortController();
  const changes: string[] = [];
  const iterator = fs.promises.watch(root, { signal: controller.signal })[Symbol.asyncIterator]();
  let next = iterator.next();
  changeAll(fs, root);
  try {
    for (;;) {
      const { eventType, filename } = (await next).value ?? {};
      changes.push(`${eventType} ${filename}`);
      if (filename === LAST) controller.abort();
      next = iterator.next();
    }
  } catch (error) {
    changes.push((error as Error).name);
  }
  return changes;
}

/** Begins with a file that is not there, which is told, so that it is known when the file is watched. */
function polledSizes(fs: Fs, path: string): Promise<number[][]> {
  const sizes: number[][] = [];
  return new Promise((resolve) => {
    fs.watchFile(path, { interval: INTERVAL_MS }, (now, before) => {
      sizes.push([now.size, before.size]);
      if (sizes.length === 1) fs.writeFileSync(path, "text");
      else {
        fs.unwatchFile(path);
        resolve(sizes);
      }
    });
  });
}

/** @param root a directory that there is, without anything in it */
export async function watching(fs: Fs, root: string): Promise<Watched> {
  const events = await watchedEvents(fs, root);
  // Until its callback is over, libuv has the watch that was closed in it, and what comes is the next one's.
  await new Promise((resolve) => setTimeout(resolve));
  fs.rmdirSync(`${root}/${LAST}`);
  const changes = await iterated(fs, root);
  const sizes = await polledSizes(fs, `${root}/polled`);
  return { events, changes, sizes };
}
