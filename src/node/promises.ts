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
import type { Operations } from "./operations/index.ts";
import { toAppendFileOptions, toWriteFileOptions } from "./operations/write-file.ts";
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
  const writeByPath = derivePromise(ops.writeFile);
  const readByPath = derivePromise(ops.readFile);

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
  const mkdtemp = derivePromise(ops.mkdtemp);

  async function mkdtempDisposable(prefix: unknown, options?: unknown): Promise<object> {
    const path = (await mkdtemp(prefix, options)) as string;
    const full = ops.toAbsolute(String(path));
    const remove = async (): Promise<void> => {
      const request = ops.rm.prepare(NO_CALLBACK, full, { recursive: true, force: true });
      await removeWithRetries(ops, request);
    };
    return Object.assign(Object.create(null), { path, remove, [Symbol.asyncDispose]: remove });
  }

  async function rm(path: unknown, options?: unknown): Promise<void> {
    await removeWithRetries(ops, ops.rm.prepare(NO_CALLBACK, path, options));
    return resolveSoon(undefined);
  }

  return { rm, mkdtemp, mkdtempDisposable, opendir: derivePromise(dirs.opendir) };
}

/** In Node's order. */
export function createPromises(ops: Operations, dirs: ReturnType<typeof dirOperations>) {
  const { rm, mkdtemp, mkdtempDisposable, opendir } = directoryForms(ops, dirs);
  const { writeFile, appendFile, readFile } = wholeFileForms(ops);
  return {
    access: derivePromise(ops.access),
    copyFile: derivePromise(ops.copyFile),
    open: async (path: unknown, flags?: unknown, mode?: unknown) => openHandle(ops, path, flags, mode),
    opendir,
    rename: derivePromise(ops.rename),
    truncate: derivePromise(ops.truncate),
    rm,
    rmdir: derivePromise(ops.rmdir),
    mkdir: derivePromise(ops.mkdir),
    readdir: derivePromise(ops.readdir),
    readlink: derivePromise(ops.readlink),
    symlink: derivePromise(ops.symlink),
    lstat: derivePromise(ops.lstat),
    stat: derivePromise(ops.stat),
    statfs: derivePromise(ops.statfs),
    link: derivePromise(ops.link),
    unlink: derivePromise(ops.unlink),
    chmod: derivePromise(ops.chmod),
    // Linux has no way to change the mode of a link.
    lchmod: async (): Promise<never> => {
      throw methodNotImplementedError("lchmod()");
    },
    lchown: derivePromise(ops.lchown),
    chown: derivePromise(ops.chown),
    utimes: derivePromise(ops.utimes),
    lutimes: derivePromise(ops.lutimes),
    realpath: derivePromise(ops.realpathNative),
    mkdtemp,
    mkdtempDisposable,
    writeFile,
    appendFile,
    readFile,
    constants,
  };
}
