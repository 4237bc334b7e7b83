/** vm.swappiness: whether pages of memory go to a swap area for pages of files that are missed. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { afterEach, beforeEach, describe, it } from "vitest";
import { hostfs } from "../../../src/host.ts";
import { createFsSync, type FolioFs } from "../../../src/index.ts";
import { MockSwap } from "../../helpers/mock-swap.ts";

const MIB = 2 ** 20;
const PAGE = 4096;

describe("vm.swappiness", () => {
  let dir: string;
  let fs: FolioFs;

  beforeEach(() => {
    dir = nodeFs.mkdtempSync("/dev/shm/foliofs-swappiness-");
    fs = createFsSync({ memoryLimit: 16 * MIB, types: [hostfs] });
    for (const at of ["/m", "/t"]) fs.mkdirSync(at);
    fs.kernel.mount({ type: "hostfs", source: dir, target: "/m" });
    fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=64m" });
    fs.kernel.swapOn(new MockSwap((32 * MIB) / PAGE));
    fs.writeFileSync("/t/cold", Buffer.alloc(9 * MIB, "cold"));
  });
  afterEach(() => {
    fs.kernel.verify?.();
    assert.ok(fs.readFileSync("/t/cold").equals(Buffer.alloc(9 * MIB, "cold")));
    fs.kernel.destroy();
    nodeFs.rmSync(dir, { recursive: true });
  });

  /** Reads a file from its start to its end. @returns pages that the store was asked for */
  function read(path: string): number {
    const before = fs.kernel.vmstat().pgcache_miss + fs.kernel.vmstat().pgcache_ahead;
    const fd = fs.openSync(path, "r");
    const buffer = Buffer.alloc(65536);
    while (fs.readSync(fd, buffer) > 0);
    fs.closeSync(fd);
    return fs.kernel.vmstat().pgcache_miss + fs.kernel.vmstat().pgcache_ahead - before;
  }

  /** Files that are read again and again, and do not fit beside what is cold. @returns pages read in the last round */
  function readHot(swappiness: number): number {
    const { vm } = fs.kernel;
    assert.ok(vm);
    vm.swappiness = swappiness;
    nodeFs.writeFileSync(`${dir}/hot`, Buffer.alloc(10 * MIB, "hot"));
    let last = 0;
    for (let round = 0; round < 12; round++) last = read("/m/hot");
    return last;
  }

  it("0: memory stays as long as there is anything else", () => {
    assert.ok(readHot(0) > MIB / PAGE);
    assert.equal(fs.kernel.vmstat().pswpout, 0);
  });

  it.each([60, 100, 200])("%i: what is cold makes room for files that are read again and again", (swappiness) => {
    assert.equal(readHot(swappiness), 0);
    assert.ok(fs.kernel.vmstat().pswpout > (2 * MIB) / PAGE);
  });

  it.each([60, 200])("%i: what is read once drives nothing out", (swappiness) => {
    const { vm } = fs.kernel;
    assert.ok(vm);
    vm.swappiness = swappiness;
    nodeFs.writeFileSync(`${dir}/once`, Buffer.alloc(64 * MIB, "once"));
    read("/m/once");
    assert.equal(fs.kernel.vmstat().pswpout, 0);
  });
});
