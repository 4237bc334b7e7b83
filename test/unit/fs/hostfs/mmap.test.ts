/** Mappings of files of a host folder. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, it } from "vitest";
import { MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../../../src/base/mman.ts";
import { freeze, thaw } from "../../../../src/store.ts";
import { createHostfsMount, type HostfsMount } from "../../../helpers/hostfs-mount.ts";
import { turn } from "../../../helpers/mock-backing.ts";

const PAGE = 4096;
const RW = PROT_READ | PROT_WRITE;

function textAt(mapping: { copy(b: Buffer, t: number, from: number): number }, at: number, length: number): string {
  const buffer = Buffer.alloc(length);
  return buffer.toString("latin1", 0, mapping.copy(buffer, 0, at));
}

describe("mappings of hostfs", () => {
  let host: HostfsMount;
  beforeEach(() => {
    host = createHostfsMount();
    nodeFs.writeFileSync(`${host.inside}/file`, "h".repeat(2 * PAGE + 100));
  });
  afterEach(() => host.dispose());
  const atHost = (start: number, end: number): string =>
    nodeFs.readFileSync(`${host.inside}/file`).toString("latin1", start, end);

  it("with cache=writeback reach the host by msync, by fsync of others, and by umount", async () => {
    host.mount("cache=writeback");
    const { fs } = host;
    const fd = fs.openSync("/mnt/file", "r+");
    const mapping = fs.kernel.mmap(fd, { prot: RW });
    fs.closeSync(fd);
    mapping.set(Buffer.from("first"), PAGE - 2);
    assert.equal(atHost(PAGE - 2, PAGE + 3), "hhhhh");
    mapping.msync();
    assert.equal(atHost(PAGE - 3, PAGE + 4), "hfirsth");
    await mapping.setAsync(Buffer.from("second"), 2 * PAGE + 94);
    assert.equal(fs.readFileSync("/mnt/file", "latin1").slice(-7), "hsecond");
    fs.fsyncSync(fs.openSync("/mnt/file", "r"));
    assert.equal(atHost(2 * PAGE + 93, 2 * PAGE + 100), "hsecond");
    const view = mapping.write(0, 5);
    view.bytes.write("third");
    view.release();
    assert.throws(() => fs.kernel.umount("/mnt"), { code: "EBUSY" });
    mapping.munmap();
    fs.closeSync(3);
    await fs.kernel.umountAsync("/mnt");
    assert.equal(atHost(0, 6), "thirdh");
  });

  it("are of what is cached: with cache=none there are none, and with writethrough none to be written to", () => {
    host.mount("cache=none");
    const { fs } = host;
    const fd = fs.openSync("/mnt/file", "r+");
    assert.throws(() => fs.kernel.mmap(fd), { code: "ENODEV", syscall: "mmap" });
    assert.throws(() => fs.readView(fd), { code: "ENODEV", syscall: "read" });
    fs.closeSync(fd);
    fs.kernel.umount("/mnt");
    host.mount("cache=writethrough");
    const through = fs.openSync("/mnt/file", "r+");
    assert.throws(() => fs.kernel.mmap(through, { prot: RW }), { code: "ENODEV" });
    using mapping = fs.kernel.mmap(through);
    using copies = fs.kernel.mmap(through, { prot: RW, flags: MAP_PRIVATE });
    copies.set(Buffer.from("own"));
    fs.writeSync(through, "through", 0);
    assert.equal(textAt(mapping, 0, 8), "throughh");
    assert.equal(textAt(copies, 0, 8), "ownhhhhh");
    assert.equal(atHost(0, 8), "throughh");
    using view = fs.readView(through, 3, 4);
    assert.equal(view.bytes.toString(), "ough");
  });

  it("show what the host has changed, when that is seen; a view has what it had", () => {
    host.mount("cache=writethrough,ttl=0");
    const { fs } = host;
    const fd = fs.openSync("/mnt/file", "r");
    using mapping = fs.kernel.mmap(fd);
    mapping.mlock(0, PAGE);
    using view = fs.readView(fd, 0, 4);
    nodeFs.writeFileSync(`${host.inside}/file`, "changed".padEnd(2 * PAGE, "!"));
    fs.closeSync(fs.openSync("/mnt/file", "r"));
    assert.equal(textAt(mapping, 0, 7), "changed");
    assert.equal(view.bytes.toString(), "hhhh");
    assert.throws(() => textAt(mapping, 2 * PAGE, 1), { code: "EFAULT", signal: "SIGBUS" });
  });

  it("are cut with their file", () => {
    host.mount("cache=writeback");
    const { fs } = host;
    const fd = fs.openSync("/mnt/file", "r+");
    using mapping = fs.kernel.mmap(fd, { prot: RW });
    using copies = fs.kernel.mmap(fd, { prot: RW, flags: MAP_PRIVATE });
    mapping.set(Buffer.from("shared"), 2 * PAGE);
    copies.set(Buffer.from("own"), 2 * PAGE);
    fs.ftruncateSync(fd, PAGE);
    for (const one of [mapping, copies]) {
      assert.throws(() => textAt(one, 2 * PAGE, 1), { code: "EFAULT", signal: "SIGBUS" });
    }
    fs.ftruncateSync(fd, 3 * PAGE);
    assert.equal(textAt(mapping, 2 * PAGE, 3), "\0\0\0");
    assert.equal(textAt(copies, 2 * PAGE, 3), "\0\0\0");
    mapping.msync();
    assert.equal(nodeFs.statSync(`${host.inside}/file`).size, 3 * PAGE);
  });

  it("wait to be written to while the file system is frozen", async () => {
    host.mount("cache=writeback");
    const { fs } = host;
    using mapping = fs.kernel.mmap(fs.openSync("/mnt/file", "r+"), { prot: RW });
    mapping.set(Buffer.from("before"));
    freeze(fs.kernel, "/mnt");
    assert.equal(atHost(0, 7), "beforeh");
    assert.equal(textAt(mapping, 0, 6), "before");
    assert.throws(() => mapping.set(Buffer.from("frozen")), { code: "EAGAIN" });
    const later = mapping.setAsync(Buffer.from("thawed"));
    await turn();
    assert.equal(textAt(mapping, 0, 6), "before");
    thaw(fs.kernel, "/mnt");
    assert.equal(await later, 6);
    mapping.msync();
    assert.equal(atHost(0, 7), "thawedh");
  });
});
