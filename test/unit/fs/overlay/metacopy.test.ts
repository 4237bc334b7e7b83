/** Files of an overlay whose attributes alone have been copied up: what is read below, and all that copies layers, or what is below. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { EAGAIN, EIO } from "../../../../src/base/errno.ts";
import { SEEK_DATA, SEEK_HOLE } from "../../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs, MS_REMOUNT, restoreFsSync } from "../../../../src/index.ts";
import { overlay } from "../../../../src/layers.ts";
import { formatPatch } from "../../../../src/patch.ts";
import { codeOf } from "../../../helpers/code-of.ts";
import { RemoteFs, remoteDir, remoteFile } from "../../../helpers/remote-fs.ts";

const PAGE = 4096;
const DATA = "lowerdir=/l,upperdir=/u,workdir=/w,metacopy=on";

function build(data = DATA): FolioFs {
  const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay] });
  for (const dir of ["/l", "/u", "/w", "/m", "/n"]) fs.mkdirSync(dir);
  fs.mkdirSync("/l/d");
  fs.writeFileSync("/l/a", "a".repeat(3 * PAGE));
  fs.writeFileSync("/l/d/b", "lower b");
  if (data !== "") fs.kernel.mount({ type: "overlay", target: "/m", data });
  return fs;
}

function end(fs: FolioFs): void {
  fs.kernel.verify();
  fs.kernel.umount("/m");
  fs.kernel.verify();
  fs.kernel.destroy();
}

/** Has the file of an upper layer no data? */
function isMarked(fs: FolioFs, path: string): boolean {
  return codeOf(() => fs.kernel.linux.getxattrSync(path, "trusted.overlay.metacopy")) === "ok";
}

describe("over a store", () => {
  function overStore(): { fs: FolioFs; remote: RemoteFs; nrReads: () => number } {
    const tree = remoteDir({ a: remoteFile("remote a"), b: remoteFile("remote b"), d: remoteDir() });
    const remote = new RemoteFs(tree);
    const fs = createFsSync({ memoryLimit: 64 * 2 ** 20, types: [overlay, remote.type] });
    for (const dir of ["/r", "/u", "/w", "/m"]) fs.mkdirSync(dir);
    fs.kernel.mount({ type: remote.type.name, target: "/r" });
    fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/r,upperdir=/u,workdir=/w,metacopy=on" });
    return { fs, remote, nrReads: () => remote.log.filter((what) => what === "read").length };
  }

  it("reads no data for what changes attributes and names", () => {
    const { fs, nrReads } = overStore();
    const { linux } = fs.kernel;
    const { ino } = fs.statSync("/m/a");
    fs.chownSync("/m/a", 3, 4);
    fs.chmodSync("/m/a", 0o4750);
    fs.utimesSync("/m/a", 5, 6);
    linux.setxattrSync("/m/a", "user.x", Buffer.from("x"));
    fs.renameSync("/m/a", "/m/d/c");
    fs.linkSync("/m/d/c", "/m/e");
    fs.kernel.dropCaches(2);
    const { mode, uid, size, mtimeMs, ino: now } = fs.statSync("/m/e");
    assert.deepEqual([mode & 0o7777, uid, size, mtimeMs, now], [0o4750, 3, 8, 6000, ino]);
    assert.equal(nrReads(), 0);
    assert.equal(fs.readFileSync("/m/e", "utf8"), "remote a");
    const before = nrReads();
    assert(before > 0 && isMarked(fs, "/u/e"));
    fs.closeSync(fs.openSync("/m/d/c", "r+"));
    assert(nrReads() > before && !isMarked(fs, "/u/e"));
    fs.unlinkSync("/m/d/c");
    fs.appendFileSync("/m/e", "!");
    assert.equal(fs.readFileSync("/u/e", "utf8"), "remote a!");
    assert.equal(fs.statSync("/m/e").ino, ino);
    fs.chmodSync("/m/b", 0o600);
    fs.closeSync(fs.openSync("/m/b", "w"));
    assert.equal(fs.statSync("/m/b").size, 0);
    end(fs);
  });

  it("is saved with data that are read to their end, or not at all where the store refuses", () => {
    const { fs, remote } = overStore();
    fs.kernel.umount("/m");
    const large = "large".repeat(300_000);
    remote.root.children?.set("large", remoteFile(large));
    const layer = fs.kernel.layer({ lower: "/r", target: "/m", metacopy: true });
    fs.chmodSync("/m/a", 0o600);
    fs.chmodSync("/m/large", 0o600);
    remote.hooks.read = () => -EIO;
    assert.equal(
      codeOf(() => layer.saveTar()),
      "EIO",
    );
    remote.hooks.read = undefined;
    const saved = layer.saveTar();
    fs.mkdirSync("/empty");
    fs.mkdirSync("/n");
    fs.kernel.loadTar(saved, { lower: "/empty", target: "/n" });
    assert.equal(fs.readFileSync("/n/a", "utf8"), "remote a");
    assert.equal(fs.readFileSync("/n/large", "utf8"), large);
    fs.kernel.umount("/n");
    end(fs);
  });

  it("waits for data in promise calls, and is EAGAIN in synchronous ones; what waits leaves nothing behind", async () => {
    const { fs, remote } = overStore();
    fs.chmodSync("/m/a", 0o600);
    const asked = new Set<string>();
    remote.hooks.any = (kernel, what) => {
      if (asked.delete(what)) return 0;
      asked.add(what);
      kernel.setWaitToken(Promise.resolve());
      return -EAGAIN;
    };
    const open = (): void => fs.closeSync(fs.openSync("/m/a", "r+"));
    assert.equal(codeOf(open), "EAGAIN");
    assert(isMarked(fs, "/u/a"));
    assert.equal(fs.statSync("/u/a").blocks, 0);
    await fs.promises.appendFile("/m/a", "!");
    assert.equal(await fs.promises.readFile("/m/a", "utf8"), "remote a!");
    delete remote.hooks.any;
    end(fs);
  });
});

describe("in memory", () => {
  it("takes no page until data are written, and then shares them", () => {
    const fs = build();
    fs.chmodSync("/m/a", 0o600);
    const { blocks, size } = fs.statSync("/m/a");
    assert.deepEqual([blocks, size], [24, 3 * PAGE]);
    assert.deepEqual([fs.statSync("/u/a").blocks, fs.statSync("/u/a").size], [0, 3 * PAGE]);
    const { nr_file_pages } = fs.kernel.vmstat() as unknown as { nr_file_pages: number };
    const fd = fs.openSync("/m/a", "r+");
    assert.equal((fs.kernel.vmstat() as unknown as { nr_file_pages: number }).nr_file_pages, nr_file_pages);
    fs.writeSync(fd, "A", PAGE);
    fs.closeSync(fd);
    assert.equal(fs.readFileSync("/l/a", "utf8"), "a".repeat(3 * PAGE));
    assert.equal(fs.readFileSync("/m/a", "utf8"), `${"a".repeat(PAGE)}A${"a".repeat(2 * PAGE - 1)}`);
    end(fs);
  });

  it("is read on by whoever has it open, before and after its data come up", () => {
    const fs = build();
    const fd = fs.openSync("/m/d/b", "r");
    const read = (position: number): string => {
      const buffer = Buffer.alloc(20);
      return buffer.toString("latin1", 0, fs.readSync(fd, buffer, 0, 20, position));
    };
    assert.equal(read(0), "lower b");
    fs.chmodSync("/m/d/b", 0o600);
    assert.equal(fs.fstatSync(fd).mode & 0o777, 0o600);
    assert.equal(read(6), "b");
    fs.writeFileSync("/m/d/b", "UPPER", { flag: "r+" });
    assert.equal(read(0), "UPPER b");
    fs.renameSync("/m/d/b", "/m/c");
    fs.fchmodSync(fd, 0o640);
    fs.unlinkSync("/m/c");
    assert.equal(read(0), "UPPER b");
    fs.closeSync(fd);
    end(fs);
  });

  it("is mapped, viewed, sought in, copied and cloned as the lower file", () => {
    const fs = build();
    fs.truncateSync("/l/a", 8 * PAGE);
    fs.chmodSync("/m/a", 0o600);
    const fd = fs.openSync("/m/a", "r");
    const mapping = fs.kernel.mmap(fd, { prot: 1, flags: 2 });
    const bytes = Buffer.alloc(3);
    assert.equal(mapping.copy(bytes), 3);
    assert.equal(bytes.toString(), "aaa");
    mapping.munmap();
    const view = fs.readView(fd, 0, 2);
    assert.equal(Buffer.from(view.bytes).toString("latin1", 0, 2), "aa");
    view.release();
    assert.equal(fs.lseekSync(fd, 0, SEEK_HOLE), 3 * PAGE);
    assert.equal(fs.lseekSync(fd, PAGE, SEEK_DATA), PAGE);
    fs.closeSync(fd);
    fs.copyFileSync("/m/a", "/m/copy");
    assert(fs.readFileSync("/m/copy").equals(fs.readFileSync("/l/a")));
    end(fs);
  });

  it("is in snapshots and forks", () => {
    const fs = build();
    fs.chmodSync("/m/a", 0o600);
    fs.renameSync("/m/d/b", "/m/c");
    const fork = fs.kernel.fork();
    const restored = restoreFsSync(fs.kernel.snapshot(), { types: [overlay] });
    for (const copy of [fork.fs, restored]) {
      assert.equal(copy.readFileSync("/m/c", "utf8"), "lower b");
      copy.appendFileSync("/m/a", "!");
      assert.equal(copy.readFileSync("/m/a", "utf8"), `${"a".repeat(3 * PAGE)}!`);
      copy.kernel.verify();
      copy.kernel.destroy();
    }
    assert(isMarked(fs, "/u/a"));
    end(fs);
  });

  it("keeps its data when the overlay gets other lower layers", () => {
    const fs = build();
    fs.chmodSync("/m/a", 0o600);
    fs.renameSync("/m/d", "/m/e");
    fs.chmodSync("/m/e/b", 0o600);
    fs.utimesSync("/m/a", 1, 2);
    fs.writeFileSync("/n/a", "another");
    fs.kernel.mount({ target: "/m", data: "lowerdir=/n", flags: MS_REMOUNT });
    fs.kernel.verify();
    assert.equal(fs.readFileSync("/m/a", "utf8"), "a".repeat(3 * PAGE));
    assert.equal(fs.statSync("/m/a").mtimeMs, 2000);
    assert.equal(fs.readFileSync("/m/e/b", "utf8"), "lower b");
    assert.equal(
      codeOf(() => fs.kernel.mount({ target: "/m", data: "lowerdir=/n::/l", flags: MS_REMOUNT })),
      "EINVAL",
    );
    end(fs);
  });
});

describe("a layer whose data stay below", () => {
  it("tells what has changed without data, and has them in all that is saved", () => {
    const fs = build("");
    fs.linkSync("/l/d/b", "/l/hard");
    const layer = fs.kernel.layer({ lower: "/l", target: "/m", metacopy: true });
    fs.chmodSync("/m/a", 0o600);
    fs.renameSync("/m/d", "/m/e");
    fs.chmodSync("/m/e/b", 0o4711);
    fs.linkSync("/m/e/b", "/m/again");
    assert.equal(layer.usage().bytes, 0);
    const told = layer.diff().map(({ kind, path, changed }) => `${kind} ${path} ${changed}`);
    assert(told.includes("modified a mode"), told.join("; "));
    const patch = formatPatch(fs, "/l", "/m");
    assert.match(patch, /old mode 100644\nnew mode 100755/);
    const shown = (path: string): unknown => [
      fs.readFileSync(`${path}/a`, "latin1"),
      fs.readFileSync(`${path}/e/b`, "latin1"),
      fs.readFileSync(`${path}/again`, "latin1"),
      fs.statSync(`${path}/e/b`).mode,
      fs.statSync(`${path}/again`).nlink,
    ];
    const before = shown("/m");
    fs.mkdirSync("/empty");
    fs.mkdirSync("/empty/d");
    const loads: Readonly<Record<string, () => void>> = {
      save: () => fs.kernel.load(layer.save(), { lower: "/empty", target: "/n" }),
      tar: () => fs.kernel.loadTar(layer.saveTar(), { lower: "/empty", target: "/n" }),
      oci: () => fs.kernel.loadTar(layer.saveTar({ format: "oci" }), { lower: "/empty", target: "/n", format: "oci" }),
      fork: () => layer.fork("/n"),
    };
    for (const [name, load] of Object.entries(loads)) {
      load();
      assert.deepEqual(shown("/n"), before, name);
      fs.kernel.verify();
      fs.kernel.umount("/n");
    }
    fs.kernel.umount("/m");
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is committed with its data, and what another has changed keeps its own", () => {
    const fs = build("");
    fs.mkdirSync("/other");
    const { target } = fs.kernel.layer({ lower: "/l", target: "/n", metacopy: true });
    fs.chmodSync(`${target}/a`, 0o640);
    fs.chmodSync(`${target}/d/b`, 0o640);
    fs.linkSync(`${target}/d/b`, `${target}/hard`);
    const files = ["a", "d/b"].map((name) => `${target}/${name}`);
    for (const [i, path] of files.entries()) fs.utimesSync(path, i, i);
    const layer = fs.kernel.layer({ lower: "/l", target: "/other", metacopy: true });
    fs.chmodSync(`${layer.target}/a`, 0o604);
    fs.writeFileSync(`${layer.target}/d/b`, "committed");
    fs.renameSync(`${layer.target}/d`, `${layer.target}/moved`);
    const fd = fs.openSync(`${layer.target}/a`, "r");
    layer.commit();
    fs.kernel.verify();
    assert.equal(fs.statSync("/l/a").mode & 0o777, 0o604);
    assert.equal(fs.readFileSync("/l/a", "latin1"), "a".repeat(3 * PAGE));
    assert.equal(fs.readFileSync("/l/moved/b", "utf8"), "committed");
    assert.equal(fs.readFileSync(`${target}/a`, "latin1"), "a".repeat(3 * PAGE));
    assert.equal(fs.statSync(`${target}/a`).mode & 0o777, 0o640);
    assert.equal(fs.readFileSync(`${target}/d/b`, "utf8"), "lower b");
    assert.equal(fs.readFileSync(`${target}/hard`, "utf8"), "lower b");
    assert.deepEqual(
      files.map((path) => fs.statSync(path).mtimeMs),
      [0, 1000],
    );
    assert.equal(layer.usage().bytes, 0);
    assert.equal(fs.readSync(fd, Buffer.alloc(9)), 9);
    fs.closeSync(fd);
    fs.kernel.verify();
    fs.kernel.destroy();
  });

  it("is so only if that is asked for", () => {
    const fs = build("");
    fs.kernel.layer({ lower: "/l", target: "/m" });
    fs.chmodSync("/m/a", 0o600);
    assert.match(fs.kernel.mounts().at(-1)?.options ?? "", /redirect_dir=on$/);
    assert.equal(
      codeOf(() => fs.kernel.layer({ lower: "/l", target: "/n", metacopy: "on" as never })),
      "ERR_INVALID_ARG_TYPE",
    );
    fs.kernel.layer({ lower: "/l", target: "/n", metacopy: true });
    assert.match(fs.kernel.mounts().at(-1)?.options ?? "", /redirect_dir=on,metacopy=on$/);
    fs.kernel.destroy();
  });
});

describe("layers for data alone", () => {
  it("are in no listing, and in snapshots as other layers", () => {
    const fs = build("");
    const { linux } = fs.kernel;
    fs.mkdirSync("/data");
    fs.writeFileSync("/data/blob", "the data");
    fs.writeFileSync("/l/image", "");
    fs.truncateSync("/l/image", 8);
    linux.setxattrSync("/l/image", "trusted.overlay.metacopy", Buffer.alloc(0));
    linux.setxattrSync("/l/image", "trusted.overlay.redirect", Buffer.from("/blob"));
    fs.kernel.mount({ type: "overlay", target: "/m", data: "lowerdir=/l::/data,upperdir=/u,workdir=/w" });
    assert.deepEqual(fs.readdirSync("/m"), ["a", "d", "image"]);
    const copy = restoreFsSync(fs.kernel.snapshot(), { types: [overlay] });
    assert.equal(copy.readFileSync("/m/image", "utf8"), "the data");
    copy.appendFileSync("/m/image", "!");
    assert.equal(copy.readFileSync("/u/image", "utf8"), "the data!");
    end(copy);
    fs.unlinkSync("/data/blob");
    assert.equal(fs.statSync("/m/image").size, 8);
    assert.equal(
      codeOf(() => fs.openSync("/m/image", "r")),
      "ENOENT",
    );
    assert.equal(
      codeOf(() => fs.chmodSync("/m/image", 0o600)),
      "ENOENT",
    );
    end(fs);
  });
});
