/** Files out of a drop or a picker, folders walked through, with their path inside the folder. */

export interface PickedFile {
  file: File;
  /** Path from the dropped folder on, with `/`; just the name for a single file. */
  path: string;
}

const JUNK = /^(\.|~\$|Thumbs\.db$|desktop\.ini$|__MACOSX$)/i;

/** Left behind by desktops and editors, never meant to be read. */
export function isJunk(name: string): boolean {
  return JUNK.test(name);
}

export function fromInput(list: FileList | null): PickedFile[] {
  return [...(list ?? [])]
    .map((file) => ({ file, path: file.webkitRelativePath || file.name }))
    .filter(({ path }) => !path.split('/').some(isJunk));
}

/** Entries must be taken while the drop event runs, so this part is not async. */
export function entriesOf(transfer: DataTransfer): { entries: FileSystemEntry[]; loose: File[] } {
  const entries: FileSystemEntry[] = [];
  const loose: File[] = [];
  for (const item of transfer.items) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry?.();
    if (entry) entries.push(entry);
    else {
      const file = item.getAsFile();
      if (file) loose.push(file);
    }
  }
  return { entries, loose };
}

export async function fromDrop(transfer: DataTransfer): Promise<PickedFile[]> {
  const { entries, loose } = entriesOf(transfer);
  const found: PickedFile[] = loose.map((file) => ({ file, path: file.name }));
  for (const entry of entries) await walk(entry, '', found);
  return found;
}

async function walk(entry: FileSystemEntry, prefix: string, found: PickedFile[]): Promise<void> {
  if (isJunk(entry.name)) return;
  const path = prefix + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((yes, no) => (entry as FileSystemFileEntry).file(yes, no));
    found.push({ file, path });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives at most a hundred at a time, and an empty list at the end.
    const batch = await new Promise<FileSystemEntry[]>((yes, no) => reader.readEntries(yes, no));
    if (batch.length === 0) return;
    for (const child of batch) await walk(child, `${path}/`, found);
  }
}
