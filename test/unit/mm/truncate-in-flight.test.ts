/** A file is cut while the store is writing what is cut off: what it writes must not make the file long again. */
import { strict as assert } from "node:assert";
import { it } from "vitest";
import { createFsSync } from "../../../src/index.ts";
import { FaultStore } from "../../helpers/fault-store.ts";
import { turn } from "../../helpers/mock-backing.ts";

it("a cut file stays cut at the store, in whichever order that answers", async () => {
  const store = new FaultStore();
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [store.type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "heldfs", target: "/m" });
  fs.writeFileSync("/m/f", Buffer.alloc(4 * 4096, 65));
  const fd = fs.openSync("/m/f", "r+");
  const calls = [fs.kernel.syncAsync(), new Promise((resolve) => fs.ftruncate(fd, 5, resolve))];
  for (let i = 0; i < 20; i++) {
    await turn();
    if (store.waiting.length > 0) store.answer(store.waiting.length - 1); // the latest first
  }
  await Promise.all(calls);
  const file = [...store.disk.nodes.values()].find(({ children }) => !children);
  assert.equal(file?.data.length, 5);
});

it("nothing is written to a file that the store is cutting", async () => {
  const store = new FaultStore();
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [store.type] });
  fs.mkdirSync("/m");
  fs.kernel.mount({ type: "heldfs", target: "/m" });
  fs.writeFileSync("/m/f", Buffer.alloc(4 * 4096, 65));
  const fd = fs.openSync("/m/f", "r+");
  const calls = [new Promise((resolve) => fs.ftruncate(fd, 5, resolve))];
  await turn();
  assert.equal(store.waiting.length, 1);
  assert.throws(() => fs.fsyncSync(fd), { code: "EAGAIN" });
  calls.push(fs.kernel.syncAsync());
  for (let i = 0; i < 20; i++) {
    await turn();
    if (store.waiting.length > 0) store.answer(store.waiting.length - 1);
  }
  await Promise.all(calls);
  const file = [...store.disk.nodes.values()].find(({ children }) => !children);
  assert.deepEqual(file && Buffer.from(file.data), Buffer.alloc(5, 65));
});
