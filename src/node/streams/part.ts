/**
 * Streams, as a part that a face is made with or without: the functions and classes of node:fs, and those methods of
 * FileHandle that make streams.
 *
 * Every face has classes of its own, which call that face. Methods of FileHandle are shared by all faces, and find the
 * classes by the operations that the handle works with.
 */
import { argTypeError } from "../errors.ts";
import type { OpenFile } from "../open-file.ts";
import type { Operations } from "../operations/index.ts";
import { builtinModule } from "../platform.ts";
import { type Origin, withinForm } from "../stacks.ts";
import type { StreamForms, StreamsPart } from "../streams-part.ts";
import type { StreamCalls, StreamOwner } from "./file-stream.ts";
import type { HandleLike } from "./handle-calls.ts";
import type { LibraryStream, StreamLibrary } from "./library.ts";
import { lineReaderClass } from "./line-reader.ts";
import { type ReadStream, type ReadStreamClass, readStreamClass } from "./read-stream.ts";
import { utf8StreamClass } from "./utf8-stream.ts";
import { readableWebStream } from "./web-stream.ts";
import { type WriteStream, type WriteStreamClass, writeStreamClass } from "./write-stream.ts";

type Begin<Stream> = (stream: Stream, path: unknown, options: unknown) => Stream;

interface Classes {
  ReadStream: ReadStreamClass;
  WriteStream: WriteStreamClass;
  beginRead: Begin<ReadStream>;
  beginWrite: Begin<WriteStream>;
}

type Kind = "ReadStream" | "WriteStream";

/** The form that makes streams of whatever class the face has by then; errors begin at the caller of either. */
function createForm<Stream extends object>(face: () => object, kind: Kind, own: object, begin: Begin<Stream>) {
  return function create(path: unknown, options: unknown): unknown {
    const Class = (face() as Record<Kind, new (path: unknown, options: unknown) => object>)[kind];
    if (Class !== own) return new Class(path, options);
    return withinForm(create, () => begin(Object.create(Class.prototype), path, options));
  };
}

type ReadInterface = (options: { input: unknown; crlfDelay: number }) => object;

/** Node's readline where it is, else a reader of lines of our own. */
function lineReaderOf({ Readable }: StreamLibrary): (input: ReadStream) => object {
  const readline = builtinModule<{ createInterface: ReadInterface }>("node:readline");
  if (readline !== undefined) {
    return (input) => readline.createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  }
  const Emitter = Object.getPrototypeOf(Object.getPrototypeOf(Readable));
  const Interface = lineReaderClass(Emitter);
  return (input) => new Interface(input as never);
}

/** What a method of FileHandle needs to know of the handle that it is called on. */
interface OpenHandle {
  readonly handle: HandleLike;
  readonly file: OpenFile;
  readonly classes: Classes;
}

/** The methods of FileHandle. @param openOf @throws ERR_INVALID_ARG_TYPE for what is no handle */
function handleMethods(openOf: (handle: unknown) => OpenHandle, linesOf: (input: ReadStream) => object) {
  function readOver(self: unknown, options: unknown, form: Origin): ReadStream {
    return withinForm(form, () => {
      const { handle, classes } = openOf(self);
      const given = { ...(options as object), fd: handle };
      return classes.beginRead(Object.create(classes.ReadStream.prototype), undefined, given);
    });
  }
  const methods = {
    readLines(this: unknown, options: unknown = undefined): object {
      return linesOf(readOver(this, options, methods.readLines));
    },
    readableWebStream(this: unknown, options: unknown = undefined): unknown {
      return withinForm(methods.readableWebStream, () => {
        const { handle, file } = openOf(this);
        return readableWebStream(handle, file, options);
      });
    },
    createReadStream(this: unknown, options: unknown = undefined): ReadStream {
      return readOver(this, options, methods.createReadStream);
    },
    createWriteStream(this: unknown, options: unknown = undefined): WriteStream {
      return withinForm(methods.createWriteStream, () => {
        const { handle, classes } = openOf(this);
        const given = { ...(options as object), fd: handle };
        return classes.beginWrite(Object.create(classes.WriteStream.prototype), undefined, given);
      });
    },
  };
  return methods;
}

/**
 * Streams on a library.
 *
 * @param library `node:stream`, or one that is like it
 * @returns the part, for entries to register
 */
export function streamsPart(library: StreamLibrary): StreamsPart {
  const classesOf = new WeakMap<Operations, Classes>();
  const extended = new WeakSet<object>();

  const Emitter = Object.getPrototypeOf(Object.getPrototypeOf(library.Readable)) as new () => LibraryStream;

  function extend(prototype: object, fileOf: StreamOwner["fileOf"]): void {
    if (extended.has(prototype)) return; // once, so that what programs put there stays
    extended.add(prototype);
    const openOf = (handle: unknown): OpenHandle => {
      const file = fileOf(handle);
      if (file === undefined) throw argTypeError("options.fd", ["number", "FileHandle"], handle);
      return { handle: handle as HandleLike, file, classes: classesOf.get(file.ops) as Classes };
    };
    for (const [name, value] of Object.entries(handleMethods(openOf, lineReaderOf(library))))
      Object.defineProperty(prototype, name, { value, writable: true, configurable: true });
  }

  return (ops, face, handlePrototype, kHandle): StreamForms => {
    const fileOf = (value: unknown): OpenFile | undefined =>
      typeof value === "object" ? (value as Record<symbol, OpenFile> | null)?.[kHandle] : undefined;
    const owner: StreamOwner = { face: face as () => StreamCalls, fileOf };
    const { ReadStream, begin: beginRead } = readStreamClass(library, owner);
    const { WriteStream, begin: beginWrite } = writeStreamClass(library, owner);
    classesOf.set(ops, { ReadStream, WriteStream, beginRead, beginWrite });
    extend(handlePrototype, fileOf);
    return {
      createReadStream: createForm(face, "ReadStream", ReadStream, beginRead),
      createWriteStream: createForm(face, "WriteStream", WriteStream, beginWrite),
      ReadStream,
      WriteStream,
      FileReadStream: ReadStream,
      FileWriteStream: WriteStream,
      Utf8Stream: utf8StreamClass(Emitter, face),
    };
  };
}
