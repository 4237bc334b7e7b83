/** cp: what it refuses, and that it waits for stores. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { INODE_MODE } from "../../../src/wasm/layout.ts";
import { inodeOf } from "../../helpers/mock-scene.ts";
import { SlowFs } from "../../helpers/slow-fs.ts";

const FORMS: [string, (fs: FolioFs, src: string, dest: string, options?: object) => void | Promise<void>][] = [
  ["sync", (fs, src, dest, options) => fs.cpSync(src, dest, options)],
  ["promise", (fs, src, dest, options) => fs.promises.cp(src, dest, options)],
];

describe.each(FORMS)("cp refuses: %s", (_form, cp) => {
  const fails = (call: () => void | Promise<void>, code: string): Promise<void> =>
    assert.rejects(async () => call(), { code });

  it("a file of a type that there is none of", async () => {
    const fs = createFsSync();
    const fd = fs.openSync("/f", "w");
    const { u32 } = fs.kernel.vfs.core;
    const at = (inodeOf(fs.kernel.vfs, fd) << 3) + INODE_MODE;
    const mode = u32[at];
    assert.equal(mode, fs.fstatSync(fd).mode);
    u32[at] = mode & 0o7777;
    await fails(() => cp(fs, "/f", "/g"), "ERR_FS_CP_UNKNOWN");
    u32[at] = mode;
    fs.closeSync(fd);
    assert.deepEqual(fs.readdirSync("/"), ["f"]);
  });

  it("a directory into itself, by another name of it", async () => {
    const fs = createFsSync();
    fs.mkdirSync("/d/sub", { recursive: true });
    fs.symlinkSync("/d", "/link");
    await fails(() => cp(fs, "/d", "/link/copy", { recursive: true }), "ERR_FS_CP_EINVAL");
    await fails(() => cp(fs, "/d", "/link/sub/copy", { recursive: true }), "ERR_FS_CP_EINVAL");
    assert.deepEqual(fs.readdirSync("/d", { recursive: true }), ["sub"]);
  });
});

it("promises.cp waits for the store, call by call", async () => {
  const store = new SlowFs();
  const fs = createFsSync({ types: [store.type] });
  fs.mkdirSync("/s");
  fs.kernel.mount({ type: "slowfs", target: "/s" });
  fs.mkdirSync("/d/sub", { recursive: true });
  fs.symlinkSync("target", "/d/sub/link");
  const copying = fs.promises.cp("/d", "/s/d", { recursive: true, verbatimSymlinks: true });
  let isDone = false;
  void copying.finally(() => (isDone = true));
  for (let turn = 0; !isDone && turn < 1000; turn++) await store.answerAll();
  await copying;
  assert.deepEqual(store.paths(), ["/d", "/d/sub", "/d/sub/link"]);
  assert.deepEqual(
    store.log.filter((what) => !what.startsWith("setattr")),
    ["mkdir d", "mkdir sub", "symlink link"],
  );
});

it("what a filter throws is what the call throws", () => {
  const fs = createFsSync();
  fs.writeFileSync("/f", "");
  const filter = (): boolean => {
    throw new RangeError("not this one");
  };
  assert.throws(() => fs.cpSync("/f", "/g", { filter }), { name: "RangeError", message: "not this one" });
});
