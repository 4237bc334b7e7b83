/** Changes through an overlay when memory runs out at any allocation, or the upper layer is full: what fails has changed nothing. */
import { strict as assert } from "node:assert";
import { describe, it } from "vitest";
import { O_RDWR, O_TMPFILE } from "../../../../src/base/stat-flags.ts";
import { createFsSync, type FolioFs } from "../../../../src/index.ts";
import { overlay } from "../../../../src/layers.ts";

const LONG = "long".repeat(40);

function build(options: string, upper = ""): FolioFs {
  const fs = createFsSync({ memoryLimit: 16 * 2 ** 20, types: [overlay] });
  for (const dir of ["/l", "/up", "/m"]) fs.mkdirSync(dir);
  fs.mkdirSync("/l/d/e", { recursive: true });
  fs.mkdirSync("/l/empty");
  fs.writeFileSync("/l/f", "f".repeat(9000));
  fs.writeFileSync(`/l/d/${LONG}`, "long");
  fs.writeFileSync("/l/d/e/deep", "deep");
  fs.linkSync("/l/f", "/l/hard");
  fs.symlinkSync("f", "/l/ln");
  fs.kernel.linux.setxattrSync("/l/f", "user.x", Buffer.alloc(100, "x"));
  fs.kernel.mount({ type: "tmpfs", target: "/up", data: upper });
  fs.mkdirSync("/up/u");
  fs.mkdirSync("/up/w");
  fs.writeFileSync("/l/changed", "c".repeat(9000));
  fs.writeFileSync("/l/hidden", "hidden");
  fs.kernel.mount({ type: "overlay", target: "/m", data: `lowerdir=/l,upperdir=/up/u,workdir=/up/w${options}` });
  fs.chmodSync("/m/changed", 0o640);
  fs.unlinkSync("/m/hidden");
  return fs;
}

/** All that shows, names and contents. */
function look(fs: FolioFs, path: string): unknown {
  const stats = fs.lstatSync(path);
  const own = [stats.mode, stats.uid, stats.gid];
  if (stats.isSymbolicLink()) return [...own, fs.readlinkSync(path)];
  if (!stats.isDirectory()) return [...own, stats.size, fs.readFileSync(path, "latin1")];
  return [...own, fs.readdirSync(path).map((name) => [name, look(fs, `${path}/${name}`)])];
}

const CHANGES: Readonly<Record<string, (fs: FolioFs) => void>> = {
  "a write": (fs) => fs.closeSync(fs.openSync("/m/f", "r+")),
  "a write of what has two names": (fs) => fs.closeSync(fs.openSync("/m/hard", "a")),
  "a chmod far below": (fs) => fs.chmodSync("/m/d/e/deep", 0o600),
  "a truncation": (fs) => fs.truncateSync("/m/f", 5000),
  "an unlink": (fs) => fs.unlinkSync(`/m/d/${LONG}`),
  "an unlink of a symbolic link": (fs) => fs.unlinkSync("/m/ln"),
  "a rmdir": (fs) => fs.rmdirSync("/m/empty"),
  "a rename": (fs) => fs.renameSync("/m/f", `/m/d/e/${LONG}`),
  "a rename over another": (fs) => fs.renameSync("/m/f", "/m/d/e/deep"),
  "a rename of a directory over an empty one": (fs) => fs.renameSync("/m/d", "/m/empty"),
  "an exchange": (fs) => fs.renameat2Sync("/m/f", "/m/d", 2),
  "a write of what has been changed": (fs) => fs.closeSync(fs.openSync("/m/changed", "r+")),
  "a truncation of what has been changed": (fs) => fs.truncateSync("/m/changed", 100),
  "a link of what has been changed": (fs) => fs.linkSync("/m/changed", "/m/d/e/new"),
  "a rename of what has been changed": (fs) => fs.renameSync("/m/changed", "/m/d/e/new"),
  "a link": (fs) => fs.linkSync("/m/hard", `/m/d/e/${LONG}`),
  "a new file": (fs) => fs.mknodSync(`/m/d/e/${LONG}`, 0o100644),
  "a new file in the place of a hidden one": (fs) => fs.mknodSync("/m/hidden", 0o100644),
  "a new directory in the place of a hidden file": (fs) => fs.mkdirSync("/m/hidden"),
  "a file without a name": (fs) => fs.closeSync(fs.openSync("/m/d/e", O_TMPFILE | O_RDWR)),
  "a new directory": (fs) => fs.mkdirSync(`/m/d/e/${LONG}`),
  "a new symbolic link": (fs) => fs.symlinkSync(LONG, `/m/d/e/${LONG}`),
  "an extended attribute": (fs) => fs.kernel.linux.setxattrSync("/m/d/e/deep", "user.y", Buffer.alloc(300)),
};

function codeOf(call: () => void): string {
  try {
    call();
    return "ok";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  }
}

describe.each(["", ",redirect_dir=on,index=on", ",metacopy=on", ",metacopy=on,index=on"])(
  "with options %j",
  (options) => {
    it.each(Object.entries(CHANGES))("%s changes nothing when an allocation fails", (_name, change) => {
      const spare = build(options);
      const succeeds = codeOf(() => change(spare));
      spare.kernel.destroy();
      for (let n = 1; n < 200; n++) {
        const fs = build(options);
        const { x } = fs.kernel.vfs.core;
        const before = look(fs, "/m");
        x.setFailAfter(n);
        const code = codeOf(() => change(fs));
        x.setFailAfter(0);
        fs.kernel.verify();
        const isRefused = code === "ENOSPC" || code === "ENOMEM";
        if (isRefused) assert.deepEqual(look(fs, "/m"), before, `after failure ${n}`);
        assert.deepEqual(fs.readdirSync("/up/w/work"), [], `left in the work directory after ${n}`);
        fs.kernel.umount("/m");
        fs.kernel.verify();
        fs.kernel.destroy();
        if (!isRefused) {
          assert.equal(code, succeeds);
          return;
        }
      }
      assert.fail("it never succeeds");
    });

    it.each(Object.entries(CHANGES))("%s changes nothing when the upper layer is full", (_name, change) => {
      let refused = 0;
      for (let inodes = 7; inodes < 32; inodes++) {
        const fs = build(options, `nr_inodes=${inodes}`);
        const before = look(fs, "/m");
        const code = codeOf(() => change(fs));
        if (code === "ENOSPC") {
          refused++;
          assert.deepEqual(look(fs, "/m"), before);
          assert.deepEqual(fs.readdirSync("/up/w/work"), []);
        }
        fs.kernel.verify();
        fs.kernel.destroy();
      }
      assert(refused < 25);
    });
  },
);
