/** sync(2) of inodes whose store takes time: each is asked for once, and an error is not forgotten by the next one's wait. */
import { strict as assert } from "node:assert";
import { it } from "vitest";
import { EIO } from "../../../src/base/errno.ts";
import { createFsSync } from "../../../src/index.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { turn } from "../../helpers/mock-backing.ts";

const NAMES = ["a", "b", "c"];

it.each([0, 1, 2])(
  "has the error of call %i, asks for no inode twice, and leaves dirty what could not be written",
  async (failing) => {
    const store = new FaultStore();
    const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [store.type], now: () => 1_000_000 });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "heldfs", target: "/m" });
    for (const name of NAMES) fs.writeFileSync(`/m/${name}`, "");
    fs.kernel.sync();
    for (const name of NAMES) fs.chmodSync(`/m/${name}`, 0o600);
    store.calls.length = 0;
    store.plan = (nr) => (nr === failing ? -EIO : undefined);

    const sync = async (): Promise<string> => {
      let answer: string | undefined;
      fs.kernel.syncAsync().then(
        () => {
          answer = "done";
        },
        ({ code }) => {
          answer = code;
        },
      );
      for (let i = 0; answer === undefined && i < 100; i++) {
        await turn();
        if (store.waiting.length > 0) store.answer(0);
      }
      return answer ?? "never";
    };
    assert.equal(await sync(), "EIO");
    assert.equal(new Set(store.calls).size, NAMES.length);
    assert.equal(store.calls.length, NAMES.length);
    assert.equal(await sync(), "done");
    assert.equal(store.calls.length, NAMES.length + 1);
    assert.equal(store.calls[NAMES.length], store.calls[failing]);
    for (const { mode, children } of store.disk.nodes.values()) if (!children) assert.equal(mode & 0o777, 0o600);
    fs.kernel.vfs.verify();
  },
);

it.each([undefined, -EIO])(
  "has an inode written once for two calls of fsync, unless the first is told %s: then the second tries",
  async (fault) => {
    const store = new FaultStore();
    const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [store.type], now: () => 1_000_000 });
    fs.mkdirSync("/m");
    fs.kernel.mount({ type: "heldfs", target: "/m" });
    const fds = [fs.openSync("/m/a", "w"), fs.openSync("/m/a", "r+")];
    fs.kernel.sync();
    fs.fchmodSync(fds[0], 0o600);
    store.calls.length = 0;
    store.plan = (nr) => (nr === 0 ? fault : undefined);
    const answers = fds.map(
      (fd) => new Promise<string | undefined>((resolve) => fs.fsync(fd, (error) => resolve(error?.code))),
    );
    for (let i = 0; i < 10; i++) {
      await turn();
      assert.ok(store.waiting.length <= 1);
      if (store.waiting.length > 0) store.answer(0);
    }
    assert.deepEqual(await Promise.all(answers), [fault && "EIO", undefined]);
    assert.equal(store.calls.length, fault ? 2 : 1);
    for (const { mode, children } of store.disk.nodes.values()) if (!children) assert.equal(mode & 0o777, 0o600);
    fs.kernel.vfs.verify();
  },
);

it("ends an inode that is being written after that, lest the older attributes come to the store last", async () => {
  const store = new FaultStore();
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [store.type], now: () => 1_000_000 });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "heldfs", target: "/m" });
  fs.writeFileSync("/m/a", "");
  fs.kernel.sync();
  fs.chmodSync("/m/a", 0o644);
  const sync = fs.kernel.syncAsync();
  await turn();
  assert.equal(store.waiting.length, 1);
  fs.chmodSync("/m/a", 0o600);
  fs.kernel.dropCaches(2);
  fs.kernel.vfs.verify();
  for (let i = 0; i < 5; i++) {
    await turn();
    if (store.waiting.length > 0) store.answer(0);
  }
  await sync;
  for (const { mode, children } of store.disk.nodes.values()) if (!children) assert.equal(mode & 0o777, 0o600);
  assert.equal(fs.statSync("/m/a").mode & 0o777, 0o600);
  fs.kernel.vfs.verify();
});
