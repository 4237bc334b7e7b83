/** mmap(2), msync(2), mlock(2). */

import { EIO } from "../../../src/base/errno.ts";
import {
  MAP_PRIVATE,
  MAP_SHARED,
  MAP_SHARED_VALIDATE,
  MS_ASYNC,
  MS_INVALIDATE,
  MS_SYNC,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../../../src/base/mman.ts";
import { O_PATH, O_RDONLY } from "../../../src/base/stat-flags.ts";
import type { SceneStep } from "../calls.ts";
import { kernel, noMemory, none, type Pairs, storeFails } from "../pair.ts";
import { file, NO_EXECUTION, opened, PAGE, stored, THIRTY_TWO_BITS, tmpfsAt, UNLIMITED_FILES } from "./common.ts";

const READ_WRITE = PROT_READ | PROT_WRITE;
const written: readonly SceneStep[] = [file("/f"), ["write", "f", "x".repeat(PAGE)]];
const mapped: readonly SceneStep[] = [...written, ["mmap", "m", "f", PAGE, READ_WRITE, MAP_SHARED]];
const hole: readonly SceneStep[] = [
  file("/f"),
  ["ftruncate", "f", PAGE],
  ["mmap", "m", "f", PAGE, READ_WRITE, MAP_SHARED],
];
const NO_ADDRESSES = none("no call takes an address: mappings are objects");

export const MAPPING: Record<string, Pairs> = {
  mmap: {
    EACCES: kernel("the descriptor is not open to read, or not to write where a shared mapping is to be written to", [
      ...written,
      opened("r", "/f", O_RDONLY),
      ["mmap", "m", "r", PAGE, READ_WRITE, MAP_SHARED],
    ]),
    EAGAIN: none("there is no limit of locked memory"),
    EBADF: kernel(
      "the descriptor is not open, or opened with O_PATH",
      [["mmap", "m", "none", PAGE, PROT_READ, MAP_SHARED]],
      [file("/f"), opened("p", "/f", O_PATH), ["mmap", "m", "p", PAGE, PROT_READ, MAP_SHARED]],
    ),
    EEXIST: NO_ADDRESSES,
    EINVAL: kernel(
      "the length is 0, the offset no multiple of a page, or the flags name neither kind",
      [...written, ["mmap", "m", "f", 0, PROT_READ, MAP_SHARED]],
      [...written, ["mmap", "m", "f", PAGE, PROT_READ, MAP_SHARED, 100]],
      [...written, ["mmap", "m", "f", PAGE, PROT_READ, 0]],
    ),
    ENFILE: UNLIMITED_FILES,
    ENODEV: kernel("the file is of a kind that cannot be mapped", [
      ["mkdir", "/d"],
      opened("d", "/d", O_RDONLY),
      ["mmap", "m", "d", PAGE, PROT_READ, MAP_PRIVATE],
    ]),
    ENOMEM: noMemory("memory is short for the mapping", written, ["mmap", "m", "f", PAGE, PROT_READ, MAP_SHARED]),
    EOPNOTSUPP: kernel("flags that are not known, with MAP_SHARED_VALIDATE", [
      ...written,
      ["mmap", "m", "f", PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x80000],
    ]),
    EOVERFLOW: THIRTY_TWO_BITS,
    EPERM: kernel("PROT_EXEC on a mount that is noexec", [
      ...tmpfsAt("", 8),
      file("/m/f"),
      ["write", "m/f", "text"],
      ["mmap", "m", "m/f", PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE],
    ]),
    ETXTBSY: NO_EXECUTION,
  },
  msync: {
    EBUSY: kernel("MS_INVALIDATE of what is locked", [
      ...mapped,
      ["mlock", "m", 0, PAGE],
      ["msync", "m", 0, PAGE, MS_INVALIDATE],
    ]),
    EINVAL: kernel(
      "flags that do not go together or are not known, or an address within a page",
      [...mapped, ["msync", "m", 0, PAGE, MS_SYNC | MS_ASYNC]],
      [...mapped, ["msync", "m", 1, PAGE, MS_SYNC]],
    ),
    EIO: storeFails(
      "the store cannot write",
      ["writePages"],
      EIO,
      [...stored, ["mmap", "m", "stored", PAGE, READ_WRITE, MAP_SHARED], ["pwrite", "stored", "more", 0]],
      ["msync", "m", 0, PAGE, MS_SYNC],
    ),
    ENOMEM: none("ranges are checked by the object: ERR_OUT_OF_RANGE"),
  },
  mlock: {
    EAGAIN: noMemory("memory is short for a page", hole, ["mlock", "m", 0, PAGE]),
    EINVAL: NO_ADDRESSES,
    ENOMEM: kernel("the file system has no room for pages of a hole", [
      ...tmpfsAt("size=8k"),
      file("/m/f"),
      ["write", "m/f", "x".repeat(2 * PAGE)],
      ["ftruncate", "m/f", 4 * PAGE],
      ["mmap", "m", "m/f", 4 * PAGE, READ_WRITE, MAP_SHARED],
      ["mlock", "m", 0, 4 * PAGE],
    ]),
    EPERM: none("there is no limit of locked memory"),
  },
  munmap: { EINVAL: NO_ADDRESSES, ENOMEM: NO_ADDRESSES },
};
