/** readv and preadv of files of a host folder: as the host gives them, from where the mount's cache says. */
import { strict as assert } from "node:assert";
import nodeFs from "node:fs";
import { describe, it } from "vitest";
import { createHostfsMount } from "../../../helpers/hostfs-mount.ts";

const LENGTHS = [10, 5000, 0, 4096, 9000];

function buffersOf(): Buffer[] {
  return LENGTHS.map((length) => Buffer.alloc(length, 0xcc));
}

describe("readv of a file of the host", () => {
  for (const cache of ["none", "writethrough"]) {
    it(`with cache=${cache} gives what the host's gives, at a place and at the file's position`, async () => {
      const { inside, fs, mount, dispose } = createHostfsMount();
      try {
        const bytes = Buffer.from(Uint8Array.from({ length: 20_000 }, (_, i) => i % 251));
        nodeFs.writeFileSync(`${inside}/f`, bytes);
        mount(`cache=${cache}`);
        const [ours, theirs] = [fs.openSync("/mnt/f", "r"), nodeFs.openSync(`${inside}/f`, "r")];
        for (const position of [null, 3000, null, 19_000, 30_000] as number[]) {
          for (const isLater of [true, false]) {
            const [got, wanted] = [buffersOf(), buffersOf()];
            const n = nodeFs.readvSync(theirs, wanted, position);
            const reading = isLater
              ? new Promise((resolve, reject) =>
                  fs.readv(ours, got, position, (error, count) => (error ? reject(error) : resolve(count))),
                )
              : fs.readvSync(ours, got, position);
            assert.equal(await reading, n);
            assert.deepEqual(got, wanted);
          }
        }
        nodeFs.closeSync(theirs);
        fs.kernel.verify();
      } finally {
        dispose();
      }
    });
  }

  it("with cache=none sees what the host has changed, and leaves no pages behind", async () => {
    const { inside, fs, mount, dispose } = createHostfsMount();
    try {
      nodeFs.writeFileSync(`${inside}/f`, Buffer.alloc(8192, 1));
      mount("cache=none,ttl=100000");
      const fd = fs.openSync("/mnt/f", "r");
      for (const byte of [1, 2, 3, 4]) {
        nodeFs.writeFileSync(`${inside}/f`, Buffer.alloc(8192, byte));
        const buffers = [Buffer.alloc(100), Buffer.alloc(8092)];
        if (byte % 2 === 0) fs.readvSync(fd, buffers, 0);
        else await new Promise((resolve) => fs.readv(fd, buffers, 0, resolve));
        assert.deepEqual(Buffer.concat(buffers), Buffer.alloc(8192, byte));
      }
      fs.kernel.verify();
    } finally {
      dispose();
    }
  });
});
