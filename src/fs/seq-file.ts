/**
 * Files whose content is made by a function when somebody reads them, as those of proc are.
 *
 *   show(m, kernel, inode)   writes the content, at the first read of an open file and at each read from its beginning
 *   read                     gives of that what is asked for: in pieces, or at positions
 *
 * So who reads on gets the end of what he has read the beginning of, whatever happens meanwhile. Their size is 0. A file
 * system takes the operations into a table of its own, which needs import "foliofs/store":
 *
 *   { inode: {}, mapping: {}, file: seqFileOperations((m, kernel) => m.puts(`${kernel.now()}\n`)) }
 *
 * Does not own: content that is written, too (proc/sysctl.ts).
 *
 * @see Linux fs/seq_file.c single_open(), seq_read_iter(), seq_escape_mem()
 */
import { EBADF } from "../base/errno.ts";
import type { FileHandle, InodeHandle } from "../base/handles.ts";
import { utf8Encoder } from "../base/utf8.ts";
import type { FileOperations } from "../vfs/fs-type.ts";
import { Inode } from "../vfs/inode.ts";
import type { Kernel } from "../vfs/kernel.ts";
import type { Core } from "../wasm/core.ts";
import { FILE_MODE, FMODE_READ } from "../wasm/layout.ts";

/** What is written into a file. @see Linux struct seq_file */
export class SeqFile {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;
  /** Text at the end: to encode it line by line would take longer than to make it. */
  #text = "";

  /** Adds text, as UTF-8. */
  puts(text: string): this {
    this.#text += text;
    return this;
  }

  /** Adds bytes, which are its own from then on. */
  write(bytes: Uint8Array): this {
    this.#encode();
    return this.#add(bytes);
  }

  #encode(): void {
    if (this.#text !== "") this.#add(utf8Encoder.encode(this.#text));
    this.#text = "";
  }

  #add(bytes: Uint8Array): this {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    return this;
  }

  /** Adds text or bytes, with each byte that is in `escaped` (ASCII) as a backslash and three octal digits: `\040`. */
  escape(content: string | Uint8Array, escaped = " \t\n\\"): this {
    const bytes = typeof content === "string" ? utf8Encoder.encode(content) : content;
    const isPlain = !bytes.some((byte) => escaped.includes(String.fromCharCode(byte)));
    return this.write(isPlain ? bytes.slice() : escapedBytes(bytes, escaped));
  }

  /** All of it. */
  content(): Uint8Array {
    this.#encode();
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

function escapedBytes(bytes: Uint8Array, escaped: string): Uint8Array {
  const all: number[] = [];
  for (const byte of bytes) {
    if (!escaped.includes(String.fromCharCode(byte))) all.push(byte);
    else all.push(...utf8Encoder.encode(`\\${byte.toString(8).padStart(3, "0")}`));
  }
  return Uint8Array.from(all);
}

/** Writes the content of a file. @returns nothing, or a negated errno, which reading it then answers */
export type Show = (m: SeqFile, kernel: Kernel, inode: InodeHandle) => unknown;

/** Contents of open files, by memory. */
const contents = new WeakMap<Core, Map<FileHandle, Uint8Array>>();

function contentsOf({ core }: Kernel): Map<FileHandle, Uint8Array> {
  const known = contents.get(core) ?? new Map<FileHandle, Uint8Array>();
  contents.set(core, known);
  return known;
}

/** The content as it was made last, or is made now. */
function contentFor(kernel: Kernel, file: FileHandle, pos: number, show: Show): Uint8Array | number {
  const known = contentsOf(kernel);
  const made = pos > 0 ? known.get(file) : undefined;
  if (made !== undefined) return made;
  const m = new SeqFile();
  const { current } = kernel;
  const rc = show(m, kernel, Inode.ofFile(kernel, file).handle);
  current?.enter();
  if (typeof rc === "number" && rc < 0) return rc;
  const content = m.content();
  known.set(file, content);
  return content;
}

/**
 * Operations of files whose content `show` makes: read and release. Without a `write` of the file
 * system's own beside them, to write is EINVAL.
 *
 * @returns of reading: bytes, 0 at the end; in the order checked -EBADF; what `show` answers
 */
export function seqFileOperations(show: Show): FileOperations {
  return {
    read(kernel, file, buffer, offset, length, position) {
      const { core } = kernel;
      if (!(core.u32[(file << 3) + FILE_MODE] & FMODE_READ)) return -EBADF;
      const pos = position < 0 ? core.filePos(file) : position;
      const content = contentFor(kernel, file, pos, show);
      if (typeof content === "number") return content;
      const piece = content.subarray(pos, pos + length);
      buffer.set(piece, offset);
      if (position < 0) core.setFilePos(file, pos + piece.length);
      return piece.length;
    },
    release: (kernel, _inode, file) => void contentsOf(kernel).delete(file),
  };
}
