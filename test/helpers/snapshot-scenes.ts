/** Snapshots of kernels that have something of all that can be in one. */

import { ROOT_TASK } from "../../src/fuzz/call.ts";
import { WHOLE_DETAIL } from "../../src/fuzz/describe.ts";
import { generate, plainAbilities } from "../../src/fuzz/generate.ts";
import { TaskPerformer } from "../../src/fuzz/perform.ts";
import { createFsSync, type FolioFs } from "../../src/index.ts";
import { overlay } from "../../src/layers.ts";
import { compressedSwap, devtmpfs } from "../../src/store.ts";
import { lz4 } from "./lz4.ts";
import { pushAllOut } from "./swapped-out.ts";

export const SCENE_LIMIT = 16 * 2 ** 20;
export const SCENE_TYPES = [overlay, devtmpfs];

export interface Scene {
  readonly name: string;
  /** A snapshot, and deltas since. */
  readonly chain: readonly Uint8Array[];
}

/** Of random programs: by root, and somebody else. */
export const ABILITIES = plainAbilities([ROOT_TASK, { uid: 1000, gid: 50, groups: [27] }]);

const LONG = "a-long-name-that-does-not-lie-in-the-record-of-its-dentry-";

function newFs(): FolioFs {
  return createFsSync({ memoryLimit: SCENE_LIMIT, types: SCENE_TYPES });
}

/** Files of all types and sizes, with holes, links, promised pages and extended attributes. */
function fill(fs: FolioFs, root: string): void {
  const { linux } = fs.kernel;
  fs.mkdirSync(`${root}/dir/sub/deep`, { recursive: true });
  for (let i = 0; i < 30; i++) fs.writeFileSync(`${root}/dir/f${i}`, "x".repeat(i * 350));
  for (let i = 0; i < 4; i++) fs.writeFileSync(`${root}/dir/sub/${LONG}${i}`, "y".repeat(9000));
  fs.writeFileSync(`${root}/big`, Buffer.alloc(400_000, 7));
  fs.truncateSync(`${root}/big`, 40_000_000);
  const fd = fs.openSync(`${root}/holes`, "w+");
  for (const page of [0, 3, 70, 5000, 300_000, 40_000_000]) fs.writeSync(fd, "data", page * 4096);
  fs.fallocateSync(fd, 0, 4096 * 100, 4096 * 30);
  fs.closeSync(fd);
  fs.symlinkSync("dir/f1", `${root}/link`);
  fs.symlinkSync("x".repeat(3000), `${root}/longlink`);
  fs.symlinkSync("y".repeat(100), `${root}/dir/midlink`);
  fs.linkSync(`${root}/dir/f2`, `${root}/hard`);
  fs.linkSync(`${root}/dir/f2`, `${root}/dir/sub/hard`);
  linux.mkfifoSync(`${root}/fifo`);
  for (const [name, length] of [
    ["user.a", 5],
    ["user.long", 3000],
    ["trusted.b", 60],
  ] as const)
    linux.setxattrSync(`${root}/dir/f1`, name, Buffer.alloc(length, 65), 0);
  linux.setxattrSync(`${root}/dir`, "user.dir", Buffer.from("value"), 0);
  fs.chmodSync(`${root}/dir/f3`, 0o4711);
  fs.chownSync(`${root}/dir/f3`, 5, 6);
  fs.copyFileSync(`${root}/dir/f20`, `${root}/copy`);
}

function random(fs: FolioFs, seed: number): void {
  const faces = [fs, fs.kernel.task({ uid: 1000, gid: 50, groups: [27] })];
  const performers = faces.map((face) => {
    const task = { fs: face as never, chdir: face.task.chdir, umask: face.task.umask, cwd: face.task.cwd };
    return new TaskPerformer(task, { root: "", detail: WHOLE_DETAIL });
  });
  for (const call of generate(seed, "mixed", 150, ABILITIES)) performers[call.task].perform(call);
}

/** What is held, and so is in no snapshot. */
function hold(fs: FolioFs): void {
  const face = fs.kernel.task({ uid: 0 });
  for (const [i, path] of ["/dir/f5", "/dir/f6", "/dir/f7"].entries()) {
    const fd = face.openSync(path, "r+");
    face.writeSync(fd, "held", i * 5000);
    if (i === 1) face.kernel.linux.flockSync(fd, 2);
    if (i === 2) face.unlinkSync(path);
  }
  face.mkdirSync("/gone");
  face.task.chdir("/gone");
  face.rmdirSync("/gone");
}

function plain(): FolioFs {
  const fs = newFs();
  fill(fs, "");
  hold(fs);
  return fs;
}

function mounted(): FolioFs {
  const fs = newFs();
  fill(fs, "");
  for (const dir of ["/tmp", "/ram", "/bind", "/dev"]) fs.mkdirSync(dir);
  fs.kernel.mount({ type: "tmpfs", target: "/tmp", data: "size=4m,nr_inodes=200,mode=700" });
  fs.kernel.mount({ type: "ramfs", target: "/ram" });
  fs.kernel.mount({ type: "devtmpfs", target: "/dev" });
  fill(fs, "/tmp");
  fs.writeFileSync("/ram/a", "in ramfs");
  fs.kernel.mount({ target: "/bind", source: "/dir/sub", flags: 4096 });
  fs.mkdirSync("/ram/m");
  fs.kernel.mount({ type: "tmpfs", target: "/ram/m", data: "noswap" });
  fs.kernel.mount({ type: "tmpfs", target: "/ram/m" });
  fs.mkdirSync("/removed");
  fs.mkdirSync("/ram/r");
  fs.kernel.mount({ target: "/ram/r", source: "/removed", flags: 4096 });
  fs.rmdirSync("/removed");
  return fs;
}

function layered(): FolioFs {
  const fs = newFs();
  fs.mkdirSync("/base");
  fill(fs, "/base");
  for (const dir of ["/a", "/b", "/u", "/w", "/o", "/other"]) fs.mkdirSync(dir);
  fs.writeFileSync("/other/f2", "below");
  fs.mkdirSync("/other/sub");
  fs.kernel.layer({ lower: "/base", target: "/a", size: "4m", nr_inodes: 500 });
  fs.appendFileSync("/a/dir/f4", "changed");
  fs.truncateSync("/a/dir/f20", 5000);
  fs.unlinkSync("/a/dir/f5");
  fs.renameSync("/a/dir/sub", "/a/moved");
  fs.mkdirSync("/a/new");
  fs.writeFileSync("/a/new/file", "new".repeat(3000));
  fs.kernel.layer({ lower: "/a", target: "/b" });
  fs.writeFileSync("/b/over", "over");
  fs.appendFileSync("/b/hard", "x");
  const data = "lowerdir=/base/dir:/other,upperdir=/u,workdir=/w,index=on,redirect_dir=on";
  fs.kernel.mount({ type: "overlay", target: "/o", data });
  fs.appendFileSync("/o/f2", "indexed");
  for (const dir of ["/a", "/b", "/o"]) fs.readdirSync(dir, { recursive: true });
  for (const path of ["/a/dir/f9", "/b/dir/f10", "/o/f11"]) fs.readFileSync(path);
  for (const path of ["/a/none", "/o/none"]) fs.existsSync(path);
  return fs;
}

function swapped(): FolioFs {
  const fs = newFs();
  fs.kernel.swapOn(compressedSwap({ size: 64 * 2 ** 20, ...lz4 }));
  fill(fs, "");
  pushAllOut(fs);
  fs.readFileSync("/dir/f20");
  fs.writeFileSync("/after", "z".repeat(20_000));
  return fs;
}

function stirred(seed: number): FolioFs {
  const fs = newFs();
  for (let i = 0; i < 6; i++) random(fs, seed + i);
  return fs;
}

function chained(): Uint8Array[] {
  const fs = plain();
  const base = fs.kernel.snapshot();
  fs.appendFileSync("/dir/f8", "more");
  fs.writeFileSync("/dir/alike", Buffer.alloc(80_000, 7));
  fs.rmSync("/dir/sub", { recursive: true });
  const first = fs.kernel.snapshot({ since: base });
  fs.mkdirSync("/later");
  return [base, first, fs.kernel.snapshot({ since: [base, first] })];
}

/** @param seed of what is random in them */
export function makeScenes(seed: number): Scene[] {
  const kernels: readonly (readonly [string, FolioFs])[] = [
    ["empty", newFs()],
    ["plain", plain()],
    ["mounted", mounted()],
    ["layered", layered()],
    ["swapped", swapped()],
    ["stirred", stirred(seed)],
  ];
  const scenes: Scene[] = [];
  for (const [name, fs] of kernels) {
    scenes.push({ name, chain: [fs.kernel.snapshot()] });
    fs.kernel.destroy();
  }
  return [...scenes, { name: "chained", chain: chained() }];
}
