/** Super blocks whose end takes time: their source is not free before, a detached one ends all the same; freezing waits for changes. */
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "vitest";
import {
  createFsSync,
  type FileSystemType,
  type FolioFs,
  FS_MEMORY,
  FS_REQUIRES_DEV,
  ramfs,
} from "../../../src/index.ts";
import { freeze, freezeAsync, thaw } from "../../../src/store.ts";
import { SlowFs, settled } from "../../helpers/slow-fs.ts";

let fs: FolioFs;
let end: () => void;

/** On a device, and takes its time for putSuper(). */
const slow: FileSystemType = {
  ...ramfs,
  name: "slow",
  fsFlags: FS_MEMORY | FS_REQUIRES_DEV,
  superOps: {
    ...ramfs.superOps,
    putSuper: () =>
      new Promise<void>((resolve) => {
        end = resolve;
      }),
  },
};

const live = (): number => fs.kernel.vmstat().nr_super_blocks;
const mount = (): void => fs.kernel.mount({ type: "slow", source: "/dev/x", target: "/m" });

beforeEach(() => {
  fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [slow] });
  fs.mkdirSync("/m");
});

describe("a super block that takes time to end", () => {
  it("keeps its source until it is gone", async () => {
    mount();
    fs.kernel.umount("/m");
    assert.equal(live(), 2);
    assert.throws(mount, { code: "EBUSY" });
    assert.equal(live(), 2);
    fs.kernel.vfs.verify();
    end();
    await settled();
    assert.equal(live(), 1);
    mount();
    assert.equal(live(), 2);
    fs.kernel.vfs.verify();
  });

  it("ends when it was detached and its last file is closed", async () => {
    mount();
    const fd = fs.openSync("/m/file", "w+");
    await fs.kernel.umountAsync("/m", { detach: true });
    fs.writeSync(fd, "still");
    assert.equal(live(), 2);
    fs.closeSync(fd);
    fs.kernel.vfs.verify();
    assert.equal(live(), 2);
    assert.throws(mount, { code: "EBUSY" });
    end();
    await settled();
    assert.equal(live(), 1);
    fs.kernel.vfs.verify();
  });
});

describe("freezing a file system whose changes wait for a store", () => {
  it("waits for those under way, and holds up new ones until it is thawed", async () => {
    const store = new SlowFs();
    const type = { ...store.type, superOps: { ...store.type.superOps, freezeFs: () => 0 } };
    fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [type] });
    fs.mkdirSync("/s");
    fs.kernel.mount({ type: type.name, target: "/s" });
    const made = fs.promises.mkdir("/s/a");
    await settled();
    assert.throws(() => freeze(fs.kernel, "/s"), { code: "EAGAIN" });
    let isFrozen = false;
    const frozen = freezeAsync(fs.kernel, "/s").then(() => {
      isFrozen = true;
    });
    const late = fs.promises.mkdir("/s/b");
    await settled();
    assert.equal(isFrozen, false);
    assert.deepEqual(store.log, ["mkdir a"]);
    await store.answerAll();
    await Promise.all([made, frozen]);
    assert.throws(() => fs.mkdirSync("/s/c"), { code: "EAGAIN" });
    await settled();
    assert.deepEqual(store.log, ["mkdir a"]);
    fs.kernel.vfs.verify();
    thaw(fs.kernel, "/s");
    await settled();
    assert.deepEqual(store.log, ["mkdir a", "mkdir b"]);
    await store.answerAll();
    await late;
    assert.deepEqual(fs.readdirSync("/s"), ["a", "b"]);
    fs.kernel.vfs.verify();
  });
});
