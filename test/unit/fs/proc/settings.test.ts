/** sys/vm: what is written there is what the kernel goes by. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { parseNumber } from "../../../../src/fs/proc/sysctl.ts";
import { VmLimits } from "../../../../src/store.ts";
import { fsWithProc, outcomeOf } from "../../../helpers/proc-mount.ts";

const read = (fs: ReturnType<typeof fsWithProc>, name: string) => fs.readFileSync(`/proc/sys/vm/${name}`, "utf8");

describe("limits", () => {
  it.each([
    ["dirty_background_bytes", [1, 4096, Number.MAX_SAFE_INTEGER], [0, 2 ** 53, -1]],
    ["dirty_background_ratio", [0, 100], [101, -1]],
    ["dirty_bytes", [8192, Number.MAX_SAFE_INTEGER], [0, 8191, 2 ** 53]],
    ["dirty_expire_centisecs", [0, 2 ** 31 - 1], [2 ** 31, -1]],
    ["dirty_ratio", [0, 100], [101, -1]],
    ["dirty_writeback_centisecs", [0, 2 ** 31 - 1], [2 ** 31, -1]],
    ["min_free_kbytes", [4, 1024], [2 ** 31, -1]],
    ["page-cluster", [0, 31], [32, -1]],
    ["swappiness", [0, 200], [201, -1]],
    ["vfs_cache_pressure", [0, 2 ** 31 - 1], [2 ** 31, -1]],
  ])("%s goes from the smallest to the largest, and is what kernel.vm says", (name, good, bad) => {
    const fs = fsWithProc();
    const path = `/proc/sys/vm/${name}`;
    const key = name.replace("-", "_") as keyof VmLimits;
    for (const value of good) {
      fs.writeFileSync(path, `${value}\n`);
      assert.equal(read(fs, name), `${value}\n`);
      assert.equal(fs.kernel.vm?.[key], value);
    }
    for (const value of bad) {
      assert.equal(
        outcomeOf(() => fs.writeFileSync(path, String(value))),
        "EINVAL write",
      );
      assert.equal(read(fs, name), `${good.at(-1)}\n`);
    }
  });

  it("of bytes and percent count in turn", () => {
    const fs = fsWithProc();
    assert.deepEqual([read(fs, "dirty_ratio"), read(fs, "dirty_bytes")], ["20\n", "0\n"]);
    fs.writeFileSync("/proc/sys/vm/dirty_bytes", "65536");
    assert.deepEqual([read(fs, "dirty_ratio"), read(fs, "dirty_bytes")], ["0\n", "65536\n"]);
    fs.writeFileSync("/proc/sys/vm/dirty_ratio", "30");
    assert.deepEqual([read(fs, "dirty_ratio"), read(fs, "dirty_bytes")], ["30\n", "0\n"]);
  });

  it("are refused by kernel.vm where proc refuses them", () => {
    const limits = new VmLimits(fsWithProc().kernel.vfs);
    for (const [name, value] of [
      ["swappiness", 201],
      ["vfs_cache_pressure", -1],
      ["min_free_kbytes", 0.5],
      ["page_cluster", 32],
    ] as const) {
      assert.throws(() => {
        limits[name] = value;
      }, RangeError);
    }
  });

  it("say how much is kept free, by the size of the memory", () => {
    const text = (memoryLimit: number) => read(fsWithProc({ memoryLimit }), "min_free_kbytes");
    assert.equal(text(8 * 2 ** 20), "32\n");
    assert.equal(text(1024 * 2 ** 20), "4096\n");
  });

  it("keep a frame at least, and a quarter of the memory at most", () => {
    const fs = fsWithProc({ memoryLimit: 8 * 2 ** 20 });
    fs.writeFileSync("/proc/sys/vm/min_free_kbytes", "0");
    assert.equal(read(fs, "min_free_kbytes"), "4\n");
    fs.writeFileSync("/proc/sys/vm/min_free_kbytes", "2147483647");
    assert.equal(read(fs, "min_free_kbytes"), "2048\n");
  });

  it("take part in reclaim: what is kept free is not to be had", () => {
    const room = (kib: number): number => {
      const fs = fsWithProc({ memoryLimit: 8 * 2 ** 20 });
      fs.writeFileSync("/proc/sys/vm/min_free_kbytes", String(kib));
      const fd = fs.openSync("/full", "w");
      assert.throws(() => {
        for (;;) fs.writeSync(fd, Buffer.alloc(4096));
      });
      return fs.fstatSync(fd).size;
    };
    const less = room(4) - room(1028);
    assert.ok(Math.abs(less - 2 ** 20) < 2 ** 16, `${less}`);
  });
});

describe("compact_memory", () => {
  it("moves pages together", () => {
    const fs = fsWithProc();
    for (const path of ["/a", "/b"]) fs.writeFileSync(path, Buffer.alloc(64 * 4096, 1));
    fs.unlinkSync("/a");
    fs.writeFileSync("/proc/sys/vm/compact_memory", "1");
    assert.equal(fs.kernel.compact(), 0);
    assert.ok(fs.readFileSync("/b").equals(Buffer.alloc(64 * 4096, 1)));
    fs.kernel.verify();
  });
});

describe("drop_caches", () => {
  const states = () => {
    const fs = fsWithProc();
    for (const name of ["meminfo", "swaps", "vmstat"]) fs.statSync(`/proc/${name}`);
    return fs;
  };

  it("drops names that nobody uses", () => {
    const fs = states();
    const before = fs.kernel.vmstat().nr_unused_dentries;
    fs.writeFileSync("/proc/sys/vm/drop_caches", "1");
    assert.ok(fs.kernel.vmstat().nr_unused_dentries >= before);
    fs.writeFileSync("/proc/sys/vm/drop_caches", "2\n");
    assert.ok(before >= 3);
    assert.ok(fs.kernel.vmstat().nr_unused_dentries <= 3, "those of the path just walked");
  });

  it("is root's, and takes 1 to 4", () => {
    const fs = states();
    const user = fs.kernel.task({ uid: 1 });
    assert.equal(
      outcomeOf(() => user.writeFileSync("/proc/sys/vm/drop_caches", "3")),
      "EACCES open",
    );
    for (const text of ["0", "5", "-1", "", "x"])
      if (text)
        assert.equal(
          outcomeOf(() => fs.writeFileSync("/proc/sys/vm/drop_caches", text)),
          "EINVAL write",
        );
    for (const text of ["1", "2", "3", "4"]) fs.writeFileSync("/proc/sys/vm/drop_caches", text);
  });
});

describe("numbers", () => {
  it.each([
    ["12", 12],
    ["-12", -12],
    ["0x10 rest", 16],
    ["010", 8],
    ["0", 0],
    ["00", 0],
    ["9007199254740991", 2 ** 53 - 1],
  ])("%j is %d", (text, value) => assert.equal(parseNumber(text), value));

  it.each(["", " ", "-", "0x", "09", "1_000", "1e3", "9007199254740992", "0x20000000000000", "12\r"])(
    "%j is none",
    (text) => assert.equal(parseNumber(text), undefined),
  );
});
