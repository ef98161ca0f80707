// Package hashlist reads and writes lists of flags: our own NDJSON, which holds everything, and the formats in which hashes
// of pictures are exchanged. docs/lists.md describes them for those who write such lists.
//
// A list is read flag by flag, so that its length costs no memory:
//
//	Open ──► which format is it? ──► Next: a flag, or the fault of one line ──► … ──► io.EOF
//
// A line that is no flag costs that line only: Next returns a *LineError for it and goes on after it.
package hashlist
