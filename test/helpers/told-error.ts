/** What errors say, to be compared whole. */

/** What an error says, but for its stack; nothing where nothing is thrown. */
export function toldError(call: () => unknown): object {
  try {
    call();
  } catch (error) {
    const { message, code, errno, syscall, path, dest } = error as NodeJS.ErrnoException & { dest?: string };
    return { message, code, errno, syscall, path, dest };
  }
  return {};
}
