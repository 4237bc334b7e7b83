/** Programs of the host that read proc, on ours: they must find there what the kernel says. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import type { FolioFs } from "../../../../src/index.ts";
import { swaps } from "../../../../src/store.ts";
import { missingFor, runWithProc } from "../../../helpers/host-with-proc.ts";
import { MockSwap } from "../../../helpers/mock-swap.ts";
import { fsWithProc } from "../../../helpers/proc-mount.ts";
import { parseMeminfo, parseVmstat } from "../../../helpers/proc-parsers.ts";

const KIB = 1024;

function inUse(): FolioFs {
  const fs = fsWithProc({ memoryLimit: 256 * 2 ** 20 });
  fs.mkdirSync("/a b");
  fs.kernel.mount({ type: "ramfs", source: "two words", target: "/a b", data: "mode=700" });
  fs.writeFileSync("/a b/big", Buffer.alloc(20 * 2 ** 20));
  fs.writeFileSync("/proc/sys/vm/swappiness", "77");
  return fs;
}

type Swapping = FolioFs & { usedPages(): number };

/** With more in a tmpfs than memory has room for. */
function swapping(): Swapping {
  const fs = fsWithProc({ memoryLimit: 8 * 2 ** 20 });
  const device = Object.assign(new MockSwap(4000), { name: "/a b" });
  fs.kernel.swapOn(device, { priority: 7 });
  fs.mkdirSync("/t");
  fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=64m" });
  fs.writeFileSync("/t/big", Buffer.alloc(12 * 2 ** 20, 1));
  return Object.assign(fs, { usedPages: () => swaps(fs.kernel)[0].used / 4096 });
}

/** Runs a program where it can be run. */
function tool(command: string, name: string, check: (fs: FolioFs, output: string) => void, make = inUse): void {
  const words = command.split(" ");
  const missing = missingFor(words[0]);
  it.skipIf(missing !== undefined)(`${command} ${name}${missing ? ` (${missing})` : ""}`, () => {
    const fs = make();
    check(fs, runWithProc(fs, words));
  });
}

/** Numbers of a line that begins with a word. */
function numbersOf(output: string, word: string): number[] {
  const line = output.split("\n").find((text) => text.startsWith(word)) ?? assert.fail(`no ${word} in ${output}`);
  return (line.slice(word.length).match(/\d+/g) ?? []).map(Number);
}

describe("of procps", () => {
  tool("free -k", "finds the memory, what is free of it, and no swap", (fs, output) => {
    const info = parseMeminfo(fs.readFileSync("/proc/meminfo", "utf8"));
    const kib = (name: string) => info.get(name) ?? assert.fail(name);
    const [total, used, free, shared, cached, available] = numbersOf(output, "Mem:");
    assert.equal(total, kib("MemTotal"));
    assert.ok(Math.abs(free - kib("MemFree")) <= 64, `${free}`); // the copying itself takes names
    assert.equal(shared, kib("Shmem"));
    assert.ok(cached >= 20 * KIB && cached <= 21 * KIB);
    assert.ok(Math.abs(available - kib("MemAvailable")) <= 64);
    assert.ok(used > 0 && used < 40 * KIB);
    assert.deepEqual(numbersOf(output, "Swap:"), [0, 0, 0]);
  });

  tool("vmstat -s", "finds its counters", (fs, output) => {
    const line = (label: string) =>
      Number(new RegExp(`(\\d+)(?: K)? ${label}\\n`).exec(output)?.[1] ?? assert.fail(label));
    const info = parseMeminfo(fs.readFileSync("/proc/meminfo", "utf8"));
    assert.equal(line("total memory"), info.get("MemTotal"));
    assert.equal(line("total swap"), 0);
    assert.equal(line("pages swapped in"), parseVmstat(fs.readFileSync("/proc/vmstat", "utf8")).get("pswpin"));
    assert.equal(line("buffer memory"), 0);
  });

  tool("vmstat", "prints its columns", (fs, output) => {
    const [, names, values] = output
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/ +/));
    const of = (name: string) => Number(values[names.indexOf(name)]);
    assert.deepEqual([of("swpd"), of("buff"), of("si"), of("so")], [0, 0, 0, 0]);
    assert.ok(
      Math.abs(of("free") - Number(parseMeminfo(fs.readFileSync("/proc/meminfo", "utf8")).get("MemFree"))) <= 64,
    );
    assert.ok(of("cache") >= 20 * KIB);
  });

  tool("vmstat -m", "lists slab caches", (_fs, output) => {
    const [nr, total, size, perSlab] = numbersOf(output, "dentry");
    assert.ok(nr > 10 && total >= nr);
    assert.deepEqual([size, perSlab], [96, 42]);
  });

  tool("slabtop -o", "lists slab caches", (_fs, output) => {
    assert.match(output, /\bdentry\b/);
    assert.match(output, /\binode_cache\b/);
  });

  tool("sysctl vm.swappiness vm.page-cluster fs.nr_open", "reads settings", (_fs, output) => {
    assert.equal(output, "vm.swappiness = 77\nvm.page-cluster = 3\nfs.nr_open = 1048576\n");
  });
});

describe("of util-linux and coreutils", () => {
  tool("mount", "lists what is mounted", (_fs, output) => {
    assert.equal(
      output,
      "rootfs on / type tmpfs (rw,relatime,size=262144k,nr_inodes=262144,mode=755)\n" +
        "proc on /proc type proc (rw,relatime)\n" +
        "two words on /a b type ramfs (rw,relatime,mode=700)\n",
    );
  });

  tool("findmnt -rn -o TARGET,SOURCE,FSTYPE", "draws the tree", (_fs, output) => {
    assert.deepEqual(output.trim().split("\n"), ["/ rootfs tmpfs", "/proc proc proc", "/a\\x20b two\\x20words ramfs"]);
  });

  tool("df -a --output=source,fstype,target /", "knows what a path lies on", (_fs, output) => {
    assert.deepEqual(output.trim().split("\n").at(-1)?.split(/ +/), ["rootfs", "tmpfs", "/"]);
  });

  tool("swapon --show", "finds no swap", (_fs, output) => assert.equal(output, ""));

  tool(
    "swapon --show=NAME,TYPE,SIZE,USED,PRIO --bytes --noheadings",
    "finds areas, and what is in them",
    (fs, output) => {
      const { usedPages } = fs as Swapping;
      assert.match(output, new RegExp(`^/a\\s+b +memory +${4000 * 4096} +${usedPages() * 4096} +7\n$`));
    },
    swapping,
  );

  tool(
    "free -b",
    "finds what is swapped",
    (fs, output) => {
      const used = (fs as Swapping).usedPages() * 4096;
      assert.ok(used > 0);
      assert.deepEqual(numbersOf(output, "Swap:"), [4000 * 4096, used, 4000 * 4096 - used]);
    },
    swapping,
  );
});

describe("Node itself", () => {
  tool(`${process.execPath} -p os.freemem()`, "finds what is available", (fs, output) => {
    const available = Number(parseMeminfo(fs.readFileSync("/proc/meminfo", "utf8")).get("MemAvailable")) * KIB;
    assert.ok(Math.abs(Number(output) - available) <= 64 * KIB, `${output} ${available}`);
  });
});
