/**
 * What waits for a thaw, against the host's kernel: an ext4 on a loop device is frozen, each call is made by a process of its
 * own, and those that have not come back after a while are the ones that wait. Needs root, loop devices, mkfs.ext4.
 */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "vitest";
import {
  createFsSync,
  type FileSystemType,
  type FolioFs,
  FS_MEMORY,
  FS_REQUIRES_DEV,
  ramfs,
} from "../../../src/index.ts";
import { freeze } from "../../../src/store.ts";

/** Each on files of its own, `$` in front; for the host a shell command, or perl. */
const CALLS: Record<string, { host: string; folio: (fs: FolioFs, at: string, fd: number) => unknown }> = {
  read: { host: "cat $/file", folio: (fs, at) => fs.readFileSync(`${at}/file`) },
  stat: { host: "stat $/file", folio: (fs, at) => fs.statSync(`${at}/file`) },
  readdir: { host: "ls $", folio: (fs, at) => fs.readdirSync(at) },
  readlink: { host: "readlink $/link", folio: (fs, at) => fs.readlinkSync(`${at}/link`) },
  access: { host: "test -w $/file", folio: (fs, at) => fs.accessSync(`${at}/file`, 2) },
  openWrite: {
    host: `perl -e 'open(F, "+<", "$/file") or die'`,
    folio: (fs, at) => fs.closeSync(fs.openSync(`${at}/file`, "r+")),
  },
  openTruncate: { host: ": > $/file", folio: (fs, at) => fs.closeSync(fs.openSync(`${at}/file`, "w")) },
  create: { host: ": > $/new", folio: (fs, at) => fs.closeSync(fs.openSync(`${at}/new`, "w")) },
  write: { host: "perl -e 'syswrite(STDOUT, \"x\") or die' 1<> $/open", folio: (fs, _at, fd) => fs.writeSync(fd, "x") },
  writeNothing: {
    host: "perl -e 'defined syswrite(STDOUT, \"\") or die' 1<> $/open",
    folio: (fs, _at, fd) => fs.writeSync(fd, ""),
  },
  ftruncate: {
    host: "perl -e 'truncate(STDOUT, 1) or die' 1<> $/open",
    folio: (fs, _at, fd) => fs.ftruncateSync(fd, 1),
  },
  truncate: { host: "perl -e 'truncate(\"$/file\", 1) or die'", folio: (fs, at) => fs.truncateSync(`${at}/file`, 1) },
  fsync: { host: "sync $/file", folio: (fs, _at, fd) => fs.fsyncSync(fd) },
  mkdir: { host: "mkdir $/new", folio: (fs, at) => fs.mkdirSync(`${at}/new`) },
  mkdirThere: { host: "mkdir $/dir", folio: (fs, at) => fs.mkdirSync(`${at}/dir`) },
  rmdir: { host: "rmdir $/dir", folio: (fs, at) => fs.rmdirSync(`${at}/dir`) },
  unlink: { host: "unlink $/file", folio: (fs, at) => fs.unlinkSync(`${at}/file`) },
  rename: { host: "mv $/file $/new", folio: (fs, at) => fs.renameSync(`${at}/file`, `${at}/new`) },
  link: { host: "ln $/file $/new", folio: (fs, at) => fs.linkSync(`${at}/file`, `${at}/new`) },
  symlink: { host: "ln -s x $/new", folio: (fs, at) => fs.symlinkSync("x", `${at}/new`) },
  chmod: { host: "chmod 600 $/file", folio: (fs, at) => fs.chmodSync(`${at}/file`, 0o600) },
  chown: { host: "chown 5:5 $/file", folio: (fs, at) => fs.chownSync(`${at}/file`, 5, 5) },
  utimes: { host: "touch -d @1 $/file", folio: (fs, at) => fs.utimesSync(`${at}/file`, 1, 1) },
};

const NAMES = Object.keys(CALLS);

const SCRIPT = `
set -e
cd "$1"
truncate -s 16M image
mkfs.ext4 -q image
mkdir at
device=$(losetup -f --show image)
trap 'fsfreeze -u at 2>/dev/null; wait; umount at 2>/dev/null; losetup -d $device' EXIT
mount -t ext4 $device at
for name in ${NAMES.join(" ")}; do
  mkdir -p at/$name/dir; echo text > at/$name/file; echo text > at/$name/open; ln -s file at/$name/link
done
cat at/*/file > /dev/null
fsfreeze -f at
${NAMES.map((name) => `( ${CALLS[name].host.replaceAll("$", `at/${name}`)} > /dev/null 2>&1 || true ) & pid_${name}=$!`).join("\n")}
sleep 0.7
${NAMES.map((name) => `if kill -0 $pid_${name} 2> /dev/null; then echo ${name} waits; else echo ${name} goes on; fi`).join("\n")}
`;

function missing(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "freezing on the host needs Linux and root";
  const probe = spawnSync("sh", ["-c", "losetup -f && command -v mkfs.ext4 fsfreeze perl && unshare -m true"]);
  return probe.status === 0 ? undefined : "no loop device, mkfs.ext4, fsfreeze or mount namespace here";
}

const lacks = missing();
if (lacks) console.warn(`freeze oracle: skipped, ${lacks}`);

function onHost(): string[] {
  const base = mkdtempSync(join(tmpdir(), "foliofs-freeze-"));
  try {
    // Output redirected by the call itself goes there: `write` has its file at descriptor 1.
    const script = SCRIPT.replaceAll(/\( (perl [^\n]*?) 1<> (\S+) > \/dev\/null 2>&1/g, "( $1 1<> $2 2> /dev/null");
    const { status, stdout, stderr } = spawnSync("unshare", ["-m", "bash", "-c", script, "bash", base]);
    assert.equal(status, 0, stderr.toString());
    return stdout.toString().trimEnd().split("\n");
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

const ext: FileSystemType = {
  ...ramfs,
  name: "ext",
  fsFlags: FS_MEMORY | FS_REQUIRES_DEV,
  superOps: { ...ramfs.superOps, freezeFs: () => 0 },
};

function onFoliofs(): string[] {
  const fs = createFsSync({ memoryLimit: 32 * 2 ** 20, types: [ext] });
  fs.mkdirSync("/at");
  fs.kernel.mount({ type: "ext", source: "image", target: "/at" });
  const fds = NAMES.map((name) => {
    fs.mkdirSync(`/at/${name}/dir`, { recursive: true });
    for (const file of ["file", "open"]) fs.writeFileSync(`/at/${name}/${file}`, "text");
    fs.symlinkSync("file", `/at/${name}/link`);
    return fs.openSync(`/at/${name}/open`, "r+");
  });
  freeze(fs.kernel, "/at");
  return NAMES.map((name, i) => {
    try {
      CALLS[name].folio(fs, `/at/${name}`, fds[i]);
    } catch (error) {
      if ((error as { code?: string }).code === "EAGAIN") return `${name} waits`;
    }
    return `${name} goes on`;
  });
}

it.skipIf(lacks !== undefined)(
  "the same calls wait on a frozen ext4, and the same go on",
  () => {
    assert.deepEqual(onFoliofs(), onHost());
  },
  20_000,
);
