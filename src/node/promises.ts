/**
 * `fs.promises`: the derived promise forms, and those that take FileHandles, iterables or make handles.
 *
 * @see Node 26 lib/internal/fs/promises.js
 */

import { removeWithRetries } from "./callback-forms.ts";
import { constants } from "./constants.ts";
import type { dirOperations } from "./dir.ts";
import { abortError, methodNotImplementedError } from "./errors.ts";
import { FileHandle, openHandle } from "./file-handle.ts";
import { isIterableData } from "./iterable-data.ts";
import { promisesNotImplemented } from "./not-implemented.ts";
import type { Operations } from "./operations/index.ts";
import { toAppendFileOptions, toWriteFileOptions } from "./operations/write-file.ts";
import { ASYNC_DISPOSE } from "./platform.ts";
import { resolveSoon } from "./settle.ts";
import { derivePromise } from "./surfaces.ts";
import { type CommonOptions, NO_CALLBACK } from "./validators.ts";

async function writeIterable(ops: Operations, path: unknown, data: unknown, options: CommonOptions): Promise<void> {
  const { signal, flag, mode, flush } = options;
  if (signal?.aborted) throw abortError(signal);
  const handle = await openHandle(ops, path, flag || "w", mode);
  try {
    await handle.writeFile(data, options);
    if (flush) await handle.sync();
  } finally {
    await handle.close();
  }
}

function wholeFileForms(ops: Operations) {
  const writeByPath = derivePromise(ops.writeFile, 3);
  const readByPath = derivePromise(ops.readFile, 2);

  async function writeFile(file: unknown, data: unknown, options?: unknown): Promise<void> {
    if (file instanceof FileHandle) return file.writeFile(data, options);
    if (isIterableData(data)) return writeIterable(ops, file, data, toWriteFileOptions(options));
    await writeByPath(file, data, options);
  }

  async function appendFile(file: unknown, data: unknown, options?: unknown): Promise<void> {
    return writeFile(file, data, toAppendFileOptions(options, false));
  }

  async function readFile(file: unknown, options?: unknown): Promise<unknown> {
    return file instanceof FileHandle ? file.readFile(options) : readByPath(file, options);
  }

  return { writeFile, appendFile, readFile };
}

function directoryForms(ops: Operations, dirs: ReturnType<typeof dirOperations>) {
  const mkdtemp = derivePromise(ops.mkdtemp, 2);

  async function mkdtempDisposable(prefix: unknown, options?: unknown): Promise<object> {
    const path = (await mkdtemp(prefix, options)) as string;
    const full = ops.toAbsolute(String(path));
    const remove = async (): Promise<void> => {
      const request = ops.rm.prepare(NO_CALLBACK, full, { recursive: true, force: true });
      await removeWithRetries(ops, request);
    };
    return Object.assign(Object.create(null), { path, remove, [ASYNC_DISPOSE]: remove });
  }

  async function rm(path: unknown, options?: unknown): Promise<void> {
    await removeWithRetries(ops, ops.rm.prepare(NO_CALLBACK, path, options));
    return resolveSoon(undefined);
  }

  return { rm, mkdtemp, mkdtempDisposable, opendir: derivePromise(dirs.opendir, 3) };
}

/** In Node's order. */
export function createPromises(ops: Operations, dirs: ReturnType<typeof dirOperations>) {
  const { rm, mkdtemp, mkdtempDisposable, opendir } = directoryForms(ops, dirs);
  const { writeFile, appendFile, readFile } = wholeFileForms(ops);
  return {
    access: derivePromise(ops.access, "1?"),
    copyFile: derivePromise(ops.copyFile, 3),
    open: async (path: unknown, flags?: unknown, mode?: unknown) => openHandle(ops, path, flags, mode),
    opendir,
    rename: derivePromise(ops.rename, 2),
    truncate: derivePromise(ops.truncate, "1?"),
    rm,
    rmdir: derivePromise(ops.rmdir, 2),
    mkdir: derivePromise(ops.mkdir, 2),
    readdir: derivePromise(ops.readdir, 2),
    readlink: derivePromise(ops.readlink, 2),
    symlink: derivePromise(ops.symlink, 3),
    lstat: derivePromise(ops.lstat, "1?"),
    stat: derivePromise(ops.stat, "1?"),
    statfs: derivePromise(ops.statfs, "1?"),
    link: derivePromise(ops.link, 2),
    unlink: derivePromise(ops.unlink, 1),
    chmod: derivePromise(ops.chmod, 2),
    // Linux has no way to change the mode of a link.
    lchmod: async (_path: unknown, _mode: unknown): Promise<never> => {
      throw methodNotImplementedError("lchmod()");
    },
    lchown: derivePromise(ops.lchown, 3),
    chown: derivePromise(ops.chown, 3),
    utimes: derivePromise(ops.utimes, 3),
    lutimes: derivePromise(ops.lutimes, 3),
    realpath: derivePromise(ops.realpathNative, 2),
    mkdtemp,
    mkdtempDisposable,
    writeFile,
    appendFile,
    readFile,
    constants,
    ...promisesNotImplemented,
  };
}
