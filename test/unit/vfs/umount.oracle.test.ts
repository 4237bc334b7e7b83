/** umount2(2) and its flags, mounts out of the tree, statfs, step by step against the host's kernel. */
import { describe } from "vitest";
import { O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR } from "../../../src/base/stat-flags.ts";
import {
  MNT_DETACH,
  MNT_EXPIRE,
  MNT_FORCE,
  MS_BIND,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_REMOUNT,
  MS_SILENT,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  UMOUNT_NOFOLLOW,
} from "../../../src/vfs/mount-constants.ts";
import { type Step, same } from "../../helpers/call-script.ts";

const ramfs = (target: string, flags = 0, data = ""): Step => ["mount", "none", target, "ramfs", flags, data];
const bind = (source: string, target: string): Step => ["mount", source, target, "", MS_BIND, ""];
const make = (name: string, path: string): Step[] => [
  ["open", name, path, O_CREAT | O_RDWR, 0o644],
  ["write", name, "data"],
];

describe("umount with MNT_DETACH", () => {
  same("leaves open files as they are", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ...make("f", "/m/file"),
    ["umount", "/m"],
    ["umount2", "/m", MNT_DETACH],
    ["access", "/m/file", 0],
    ["write", "f", " and more"],
    ["pread", "f", 100, 0],
    ["fstat", "f"],
    ["ftruncate", "f", 3],
    ["fstat", "f"],
    ["umount2", "/m", MNT_DETACH],
    ["close", "f"],
    ["umount", "/m"],
  ]);

  same("leaves those who stand in it there, and `..` stays inside", [
    ["mkdir", "/m"],
    ["mkdir", "/outside"],
    ramfs("/m"),
    ["mkdir", "/m/a"],
    ["mkdir", "/m/a/b"],
    ["chdir", "/m/a"],
    ["umount2", "/m", MNT_DETACH],
    ["getcwd"],
    ["mkdir", "c"],
    ["access", "../a/c", 0],
    ["access", "../../a/b", 0],
    ["access", "../../../../a/b", 0],
    ["access", "../outside", 0],
    ["access", "../../outside", 0],
    ["chdir", ".."],
    ["getcwd"],
    ["chdir", ".."],
    ["access", "a", 0],
    ["access", ".", 2],
    ["rmdir", "a/b"],
    ["chdir", "/"],
    ["access", "m/a", 0],
    ["getcwd"],
  ]);

  same("takes all mounts below along, each for itself", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["mkdir", "/m/sub"],
    ["mkdir", "/m/sub/under"],
    ramfs("/m/sub"),
    ["mkdir", "/m/sub/over"],
    ["mkdir", "/m/sub/over/deep"],
    ramfs("/m/sub/over/deep"),
    ["chdir", "/m"],
    ["umount", "/m/sub"],
    ["umount2", "/m", MNT_DETACH],
    ["access", "sub/under", 0],
    ["access", "sub/over", 0],
    ["access", "/m/sub", 0],
  ]);

  same("leaves no place to mount in, and nothing to unmount again", [
    ["mkdir", "/m"],
    ["mkdir", "/here"],
    ramfs("/m"),
    ["mkdir", "/m/a"],
    ["chdir", "/m"],
    ["umount2", "/m", MNT_DETACH],
    ramfs("a"),
    ramfs("."),
    bind("a", "/here"),
    bind(".", "/here"),
    bind("/here", "a"),
    ["mount", "none", ".", "", MS_REMOUNT | MS_RDONLY, ""],
    ["mount", "none", ".", "", MS_REMOUNT | MS_BIND | MS_RDONLY, ""],
    ["umount", "."],
    ["umount2", ".", MNT_DETACH],
    ["mkdir", "b"],
    ["rename", "b", "c"],
    ["rename", "c", "/c"],
    ["link", "a", "/x"],
  ]);

  same("of one of two leaves the other", [
    ["mkdir", "/m"],
    ["mkdir", "/n"],
    ramfs("/m"),
    ...make("f", "/m/file"),
    bind("/m", "/n"),
    ["umount2", "/m", MNT_DETACH],
    ["write", "f", "more"],
    ["stat", "/n/file"],
    ["link", "/n/file", "/n/second"],
    ["umount", "/n"],
    ["pread", "f", 20, 0],
    ["fstat", "f"],
  ]);

  same("is by place: the newest goes first, and a bind is a mount", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["mkdir", "/m/first"],
    ramfs("/m"),
    ["mkdir", "/m/second"],
    ["chdir", "/m"],
    ["umount2", "/m", MNT_DETACH],
    ["access", "/m/first", 0],
    ["access", "second", 0],
    ["umount2", "/m", MNT_DETACH],
    ["access", "/m/first", 0],
    ["umount2", "/m", MNT_DETACH],
  ]);

  same("lets directories be removed that were mounted on", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["chdir", "/m"],
    ["rmdir", "/m"],
    ["umount2", "/m", MNT_DETACH],
    ["rmdir", "/m"],
    ["mkdir", "x"],
    ["open", "d", "x", O_RDONLY | O_DIRECTORY],
    ["rmdir", "x"],
    ["close", "d"],
  ]);

  same("leaves a root there to whoever has it", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["mkdir", "/m/in"],
    ["chdir", "/m"],
    ["umount2", "/m", MNT_DETACH],
    ["chroot", "."],
    ["access", "/in", 0],
    ["access", "/m", 0],
    ["access", "/../in", 0],
    ["getcwd"],
    ["chdir", "/in"],
    ["getcwd"],
  ]);
});

describe("umount with other flags", () => {
  same("knows no others", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["umount2", "/m", 16],
    ["umount2", "/missing", 16],
    ["umount2", "/m", 0x80000000 | 0],
    ["umount2", "/m", MNT_FORCE | UMOUNT_NOFOLLOW],
  ]);

  same("looks for the place before it asks who wants it", [
    ["mkdir", "/m"],
    ["mkdir", "/closed", 0o700],
    ramfs("/m"),
    ["setUid", 1000],
    ["umount", "/missing"],
    ["umount", "/closed/x"],
    ["umount", "/m"],
    ["umount", "/closed"],
    ["umount2", "/m", 16],
    ["umount2", "/m", MNT_DETACH],
    ramfs("/missing"),
    ramfs("/m"),
    ["mount", "none", "/m", "nosuchfs", 0, ""],
  ]);

  same("MNT_FORCE is no more than a wish where there is nothing to wait for", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ...make("f", "/m/file"),
    ["umount2", "/m", MNT_FORCE],
    ["close", "f"],
    ["umount2", "/m", MNT_FORCE],
    ["umount2", "/m", MNT_FORCE],
  ]);

  same("UMOUNT_NOFOLLOW does not follow a link", [
    ["mkdir", "/m"],
    ["symlink", "m", "/l"],
    ramfs("/m"),
    ["umount2", "/l", UMOUNT_NOFOLLOW],
    ["umount2", "/l", 0],
    ["umount2", "/l", 0],
  ]);

  same("MNT_EXPIRE takes two, and nobody in between", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ...make("f", "/m/file"),
    ["umount2", "/m", MNT_EXPIRE],
    ["close", "f"],
    ["umount2", "/m", MNT_EXPIRE],
    ["access", "/m/file", 0],
    ["umount2", "/m", MNT_EXPIRE],
    ["access", "/m", 1],
    ["umount2", "/m", MNT_EXPIRE],
    ["access", "/m/missing", 0],
    ["umount2", "/m", MNT_EXPIRE],
    ["umount2", "/m", MNT_EXPIRE],
    ["umount2", "/m", MNT_EXPIRE],
    ["access", "/m/file", 0],
  ]);

  same("MNT_EXPIRE marks each for itself", [
    ["mkdir", "/m"],
    ["mkdir", "/n"],
    ramfs("/m"),
    ramfs("/n"),
    ["umount2", "/m", MNT_EXPIRE],
    ["umount2", "/n", MNT_EXPIRE],
    ["access", "/n", 1],
    ["umount2", "/m", MNT_EXPIRE],
    ["umount2", "/n", MNT_EXPIRE],
    ["umount2", "/n", MNT_EXPIRE],
  ]);

  same("MNT_EXPIRE goes with no other, nor with the root", [
    ["mkdir", "/m"],
    ramfs("/m"),
    ["umount2", "/m", MNT_EXPIRE | MNT_FORCE],
    ["umount2", "/m", MNT_EXPIRE | MNT_DETACH],
    ["umount2", "/", MNT_EXPIRE],
    ["umount2", "/m", MNT_EXPIRE],
    ["umount2", "/m", MNT_EXPIRE | UMOUNT_NOFOLLOW],
  ]);
});

describe("ramfs", () => {
  same("is remounted with options that it has, and does not change", [
    ["mkdir", "/m"],
    ramfs("/m", 0, "mode=700"),
    ["access", "/m", 1],
    ramfs("/m", MS_REMOUNT, "mode=711"),
    ["access", "/m", 1],
    ramfs("/m", MS_REMOUNT, "mode=9"),
    ramfs("/m", MS_REMOUNT, "nonsense"),
    ramfs("/m", MS_REMOUNT | MS_RDONLY),
    ["mkdir", "/m/a"],
    ["statfsFlags", "/m"],
  ]);

  same("is mounted silently", [["mkdir", "/m"], ramfs("/m", MS_SILENT), ["mkdir", "/m/a"], ["statfsFlags", "/m"]]);
});

describe("statfs", () => {
  const flags: Record<string, number> = {
    nothing: 0,
    ro: MS_RDONLY,
    nosuid: MS_NOSUID,
    nodev: MS_NODEV,
    noexec: MS_NOEXEC,
    sync: MS_SYNCHRONOUS,
    noatime: MS_NOATIME,
    nodiratime: MS_NODIRATIME,
    strictatime: MS_STRICTATIME,
    all: MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | MS_NOATIME | MS_NODIRATIME,
  };
  same("tells the longest name, and how it is mounted", [
    ...Object.entries(flags).flatMap(([name, ms]): Step[] => [
      ["mkdir", `/${name}`],
      ramfs(`/${name}`, ms),
      ["statfsFlags", `/${name}`],
    ]),
    ["mkdir", "/bound"],
    bind("/nothing", "/bound"),
    ["mount", "none", "/bound", "", MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOEXEC, ""],
    ["statfsFlags", "/bound"],
    ["statfsFlags", "/nothing"],
  ]);
});
