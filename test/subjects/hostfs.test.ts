/** hostfs passes every suite, on two file systems of the host, but for what SKIPPED names. */
import { afterEach, beforeAll, beforeEach, describe, it } from "vitest";
import { SUITES } from "../../src/testing/conformance/index.ts";
import type { Subject } from "../helpers/subject.ts";
import { loadFoliofs } from "../helpers/subject-foliofs.ts";
import { createHostfsSubject, type HostfsSetup } from "../helpers/subject-hostfs.ts";

const SETUPS: Readonly<Record<string, HostfsSetup>> = {
  "hostfs on /dev/shm, cache=none": { base: "/dev/shm", data: "cache=none" },
  "hostfs on /tmp, cache=none, ttl=0": { base: "/tmp", data: "cache=none,ttl=0" },
  "hostfs on /dev/shm, by pages": { base: "/dev/shm", data: "cache=writethrough" },
  "hostfs on /tmp, by pages, ttl=0, few descriptors": { base: "/tmp", data: "cache=writethrough,ttl=0,maxfds=2" },
  "hostfs on /dev/shm, cache=writeback": { base: "/dev/shm", data: "cache=writeback" },
  "hostfs on /tmp, cache=writeback, ttl=0, few descriptors": { base: "/tmp", data: "cache=writeback,ttl=0,maxfds=2" },
  "hostfs with a helper, cache=writeback": { base: "/dev/shm", data: "cache=writeback", isHelped: true },
  "hostfs with a helper": { base: "/dev/shm", data: "cache=writethrough", isHelped: true },
};

const NO_MKNOD = "node:fs has no mknod: EOPNOTSUPP without a helper";
const NO_FALLOCATE = "node:fs has no fallocate: EOPNOTSUPP without a helper";
const NO_SEEK = "node:fs has no lseek, so SEEK_DATA is EOPNOTSUPP without a helper";
const NO_FLAGS = "node:fs has no renameat2, so flags are EOPNOTSUPP without a helper";

/** Cases by their names, and why they cannot pass. */
const SKIPPED: Readonly<Record<string, string>> = {
  "makes a file without a name with O_TMPFILE":
    "O_TMPFILE is EOPNOTSUPP: a file without a name could not be opened again",
  "on a file: read with O_NOATIME":
    "all who read a file read by one descriptor of the host, which has not got the flag",
  "gives ENOSPC when memory runs out, keeps what was there, and works on once there is room":
    "it is the host's disk that may be full, not the memory, and the host's is not ours to fill",
};
/** As SKIPPED, by pages. */
const SKIPPED_BY_PAGES: Readonly<Record<string, string>> = {
  "on a file: read at the end": "where nothing is read the host is not asked, and keeps atime",
  "moves atime once, and again only after a write or a day (relatime)":
    "what is read from pages the host does not hear of, which keeps atime, as a server of NFS does",
};
const NO_ATIME = "what has just been written is read from pages, of which the host does not hear";
/** As SKIPPED, with cache=writeback. */
const SKIPPED_WRITING_BACK: Readonly<Record<string, string>> = {
  "on a file: read": NO_ATIME,
  "on a file: readFile": NO_ATIME,
  "on a file: copyFile from": NO_ATIME,
};
/** As SKIPPED, where the folder is not on a tmpfs. */
const SKIPPED_OFF_TMPFS: Readonly<Record<string, string>> = {
  "counts 20 bytes for each entry, and no blocks": "sizes of directories are the host's, and this is of tmpfs",
  "opens directories in the order of the directory: newest first": "the order is the host's, and this is of tmpfs",
  "refuses writes at the limit, and cuts those that cross it": "files of the host may be smaller than ours",
  "refuses to make a file longer than the limit, or to append to one that is full":
    "files of the host may be smaller than ours",
};
/** As SKIPPED, of what tmpfs cannot do. */
const SKIPPED_ON_TMPFS: Readonly<Record<string, string>> = {
  "zeroes a range": "the host's tmpfs has no FALLOC_FL_ZERO_RANGE",
};
/** As SKIPPED, without a helper. */
const SKIPPED_WITHOUT_HELPER: Readonly<Record<string, string>> = {
  "refuses a socket": NO_MKNOD,
  "links fifos and the like": NO_MKNOD,
  "tells the kind of each entry": NO_MKNOD,
  "makes a fifo": NO_MKNOD,
  "makes a socket": NO_MKNOD,
  "makes a character device": NO_MKNOD,
  "makes a block device": NO_MKNOD,
  "opens no fifo for writing while nobody reads, nor as a directory": NO_MKNOD,
  "finds data and holes by pages, and a hole at the end of every file": NO_SEEK,
  "gives the size as the first hole of a file that is full": NO_SEEK,
  "reads holes as zeros, and makes no data of them by reading": NO_SEEK,
  "punches holes: whole pages go, parts of pages become zero, the size stays": NO_FALLOCATE,
  "allocates: pages that read as zero, and a size that grows unless it is to be kept": NO_FALLOCATE,
  "zeroes a range": NO_FALLOCATE,
  "refuses to replace with RENAME_NOREPLACE": NO_FLAGS,
  "exchanges two names with RENAME_EXCHANGE, whatever they are": NO_FLAGS,
  "leaves a whiteout with RENAME_WHITEOUT: a character device 0:0 without permissions": NO_FLAGS,
  "keeps the order of names with RENAME_WHITEOUT: first the name that moved, then its whiteout": NO_FLAGS,
};

let foliofs: Awaited<ReturnType<typeof loadFoliofs>>;
const subjects: Subject[] = [];

beforeAll(async () => {
  foliofs = await loadFoliofs();
});

afterEach(() => {
  for (const subject of subjects.splice(0)) subject.dispose();
});

describe.each(Object.entries(SETUPS))("%s", (_name, setup) => {
  beforeEach((context) => {
    const { name } = context.task;
    const reason =
      SKIPPED[name] ??
      (setup.isHelped ? undefined : SKIPPED_WITHOUT_HELPER[name]) ??
      (setup.data.includes("cache=none") ? undefined : SKIPPED_BY_PAGES[name]) ??
      (setup.data.includes("cache=writeback") ? SKIPPED_WRITING_BACK[name] : undefined) ??
      (setup.base === "/dev/shm" ? SKIPPED_ON_TMPFS : SKIPPED_OFF_TMPFS)[name];
    if (reason !== undefined) context.skip(reason);
  });

  function create(): Subject {
    const subject = createHostfsSubject(foliofs, setup);
    subjects.push(subject);
    return subject;
  }

  describe.each(Object.entries(SUITES))("%s", (_suite, suite) => suite(create, it));
});
