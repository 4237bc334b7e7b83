/** Iterators of watchers, and watching files of stores that take their time. */
import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { plainTree, withTree } from "../../helpers/lazy-tree.ts";

interface Event {
  eventType: string;
  filename: string;
}

/** An iterator that has begun to watch, and its first event, which is the change of a file "/d/first". */
async function watching(fs: FolioFs, path: string, options: object) {
  const events = fs.promises.watch(path, options as never) as unknown as AsyncGenerator<Event>;
  const first = events.next();
  await sleep(5);
  fs.writeFileSync("/d/first", "");
  await first;
  await sleep(5);
  return events;
}

function machine(): FolioFs {
  const fs = createFsSync();
  fs.mkdirSync("/d/below", { recursive: true });
  fs.writeFileSync("/d/first", "");
  return fs;
}

describe("promises.watch()", () => {
  it("drops events beyond maxQueue, with a warning", async () => {
    const fs = machine();
    const events = await watching(fs, "/d", { maxQueue: 2 });
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): void => void warnings.push(message);
    process.on("warning", onWarning);
    for (const name of ["a", "b", "c", "d"]) fs.mkdirSync(`/d/${name}`);
    await sleep(5);
    process.off("warning", onWarning);
    const seen = [(await events.next()).value, (await events.next()).value].map(({ filename }) => filename);
    assert.deepEqual(seen, ["a", "b"]);
    assert.deepEqual(new Set(warnings), new Set(["fs.watch maxQueue exceeded"]));
    await events.return(undefined);
  });

  it("fails on more than maxQueue events where it is to", async () => {
    const fs = machine();
    const events = await watching(fs, "/d", { maxQueue: 2, overflow: "error" });
    for (const name of ["a", "b", "c"]) fs.mkdirSync(`/d/${name}`);
    await sleep(5);
    await assert.rejects(events.next(), {
      code: "ERR_FS_WATCH_QUEUE_OVERFLOW",
      message: "fs.watch() queued more than 2 events",
    });
    assert.equal((await events.next()).done, true);
  });

  it("watches all below a directory, until its signal says otherwise", async () => {
    const fs = machine();
    const controller = new AbortController();
    const events = await watching(fs, "/d", { recursive: true, signal: controller.signal });
    fs.mkdirSync("/d/below/new");
    for (let name = ""; name !== "below/new"; ) name = (await events.next()).value.filename;
    const later = events.next();
    controller.abort();
    await assert.rejects(later, { name: "AbortError" });
    const over = fs.promises.watch("/d", { recursive: true, signal: controller.signal });
    await assert.rejects((over as unknown as AsyncGenerator).next(), { name: "AbortError" });
  });

  it("waits for the store, and fails for what is not there", async () => {
    const { fs } = withTree(plainTree({ d: { f: "text" } }, { later: true }));
    const controller = new AbortController();
    const { signal } = controller;
    const found = fs.promises.watch("/m/d/f", { signal }) as unknown as AsyncGenerator;
    const waiting = found.next();
    await assert.rejects((fs.promises.watch("/m/d/none") as unknown as AsyncGenerator).next(), {
      code: "ENOENT",
      syscall: "watch",
      path: "/m/d/none",
    });
    controller.abort();
    await assert.rejects(waiting, { name: "AbortError" });
  });
});

describe("watchFile()", () => {
  it("waits for the store before it says that a file is not there", async () => {
    const log: string[] = [];
    const { fs } = withTree(plainTree({ d: {} }, { later: true }, log));
    const [now, before] = await new Promise<{ ino: number; nlink: number }[]>((resolve) => {
      fs.watchFile("/m/d/none", { interval: 5 }, (...both) => resolve(both));
    });
    assert.deepEqual([now.ino, now.nlink, before.ino], [0, 0, 0]);
    assert.ok(log.includes("list d") || log.includes("list /d"), log.join());
    fs.unwatchFile("/m/d/none");
  });
});
