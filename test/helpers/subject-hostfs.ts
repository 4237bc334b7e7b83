/**
 * hostfs as a subject: a fresh folder of the host, mounted where the subject works.
 *
 * With `isHelped` the mount has a helper for what node:fs cannot do, which makes the system calls by perl.
 */
import nodeFs from "node:fs";
import { dirname } from "node:path";
import { createHostfs } from "../../src/fs/hostfs/hostfs.ts";
import type { HostNative } from "../../src/fs/hostfs/native.ts";
import type { Subject } from "./subject.ts";
import { createFoliofsSubject, type loadFoliofs } from "./subject-foliofs.ts";
import { hostCallOn } from "./subject-host-calls.ts";

export interface HostfsSetup {
  /** Where the folder is made: "/dev/shm", "/tmp". */
  readonly base: string;
  /** Mount options. */
  readonly data: string;
  readonly isHelped?: boolean;
  /** The directory to work in: the folder is mounted at its parent. Left out: the folder itself. */
  readonly root?: string;
}

const helper: HostNative = {
  mknod: (dirFd, name, mode, dev) => hostCallOn("mknodat", [dirFd], [0, name, mode, dev]),
  rename: (oldDirFd, oldName, newDirFd, newName, flags) =>
    hostCallOn("renameat2", [oldDirFd, newDirFd], [0, oldName, 1, newName, flags]),
  fallocate: (fd, mode, offset, length) => hostCallOn("fallocate", [fd], [0, mode, offset, length]),
  seek: (fd, offset, whence) => hostCallOn("lseek", [fd], [0, offset, whence]),
};

export interface HostfsSubject extends Subject {
  /** The host's folder, as it is mounted. */
  readonly folder: string;
}

export function createHostfsSubject(
  foliofs: Awaited<ReturnType<typeof loadFoliofs>>,
  setup: HostfsSetup,
): HostfsSubject {
  const { base, data, isHelped, root } = setup;
  const target = root ? dirname(root) : "/work";
  const folder = nodeFs.mkdtempSync(`${base}/hostfs-`);
  nodeFs.chmodSync(folder, 0o755);
  const type = createHostfs(isHelped ? helper : undefined);
  const createFsSync: typeof foliofs.createFsSync = (options) => {
    const fs = foliofs.createFsSync({ ...options, types: [type] } as never);
    fs.mkdirSync(target, { recursive: true });
    const kernel = fs.kernel as never as { mount(options: object): void };
    kernel.mount({ type: "hostfs", source: folder, target, data });
    return fs;
  };
  const subject = createFoliofsSubject({ createFsSync }, root ?? target);
  return {
    ...subject,
    name: "hostfs",
    folder,
    dispose: () => {
      subject.dispose();
      nodeFs.rmSync(folder, { recursive: true, force: true });
    },
  };
}
