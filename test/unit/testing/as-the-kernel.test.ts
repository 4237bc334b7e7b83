/** A disk that is full by rule is as one of the kernel that is: the same results, errors and contents, on foliofs and around node:fs. */
import { spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { injectFaults } from "../../../src/testing.ts";

type Fs = typeof nodeFs;

const SIZE = 64 * 1024;
const dir = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-full-"));

function mount(): boolean {
  return spawnSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE}`, "tmpfs", dir]).status === 0;
}

const canMount = mount();
if (canMount) spawnSync("umount", [dir]);
afterAll(() => nodeFs.rmdirSync(dir));

/** Fills a disk in some way. @returns what each call has answered, and what is there then */
const WAYS: Record<string, (fs: Fs, root: string) => Promise<unknown>> = {
  writeFileSync: async (fs, root) => fs.writeFileSync(`${root}/f`, Buffer.alloc(SIZE + 5000, 1)),
  "writeFileSync of text": async (fs, root) => fs.writeFileSync(`${root}/f`, "x".repeat(SIZE + 5000)),
  "promises.writeFile": (fs, root) => fs.promises.writeFile(`${root}/f`, Buffer.alloc(SIZE + 5000, 1)),
  appendFileSync: async (fs, root) => {
    for (;;) fs.appendFileSync(`${root}/f`, Buffer.alloc(3 * 4096, 2));
  },
  writeSync: async (fs, root) => {
    const fd = fs.openSync(`${root}/f`, "w");
    const counts: number[] = [];
    try {
      for (;;) counts.push(fs.writeSync(fd, Buffer.alloc(5 * 4096, 3)));
    } catch (error) {
      throw Object.assign(error as Error, { counts });
    } finally {
      fs.closeSync(fd);
    }
  },
  "FileHandle.write": async (fs, root) => {
    const handle = await fs.promises.open(`${root}/f`, "w");
    const counts: number[] = [];
    try {
      for (;;) counts.push((await handle.write(Buffer.alloc(7 * 4096, 4))).bytesWritten);
    } catch (error) {
      throw Object.assign(error as Error, { counts });
    } finally {
      await handle.close();
    }
  },
  writevSync: async (fs, root) => {
    const fd = fs.openSync(`${root}/f`, "w");
    const counts: number[] = [];
    try {
      for (;;) counts.push(fs.writevSync(fd, [Buffer.alloc(3 * 4096, 5), Buffer.alloc(4 * 4096, 6)]));
    } catch (error) {
      throw Object.assign(error as Error, { counts });
    } finally {
      fs.closeSync(fd);
    }
  },
};

async function outcome(fs: Fs, root: string, way: (fs: Fs, root: string) => Promise<unknown>): Promise<unknown> {
  const error = await way(fs, root).then(
    () => undefined,
    (thrown) => thrown,
  );
  const { code, counts, errno, message, path, syscall } = error ?? {};
  const bytes = fs.readFileSync(`${root}/f`);
  return {
    code,
    counts,
    errno,
    message: message?.replaceAll(root, ""),
    path,
    syscall,
    size: bytes.length,
    last: bytes.at(-1),
  };
}

describe.skipIf(!canMount)("a full disk", () => {
  beforeEach(() => {
    mount();
  });
  afterEach(() => {
    spawnSync("umount", [dir]);
  });

  it.each(Object.entries(WAYS))("%s", async (_name, way) => {
    const expected = await outcome(nodeFs, dir, way);
    expect(expected).toMatchObject({ code: "ENOSPC", size: SIZE });

    const folio = createFsSync({ memoryLimit: 16 * 2 ** 20 });
    folio.mkdirSync("/root");
    injectFaults(folio).diskFull({ after: SIZE });
    expect(await outcome(folio as unknown as Fs, "/root", way)).toEqual(expected);
    folio.kernel.destroy();

    const elsewhere = nodeFs.mkdtempSync(join(tmpdir(), "foliofs-full-"));
    const faults = injectFaults(nodeFs);
    faults.diskFull({ after: SIZE });
    expect(await outcome(faults.fs, elsewhere, way)).toEqual(expected);
    nodeFs.rmSync(elsewhere, { recursive: true });
  });
});
