// Package sandbox decodes pictures in worker processes, so that a crash, a hang or a hunger for memory in a codec costs
// one upload a retry and the moderator nothing.
//
// A worker is our own binary started again. It limits itself before it reads its first byte: memory, CPU time, no
// files opened for writing, no network, no programs started. Workers serve many pictures and are replaced after a while.
//
//	parent ──► pipe: length, bytes of the file ──► worker: imaging.Decode
//	parent ◄── pipe: length, header, pixels    ◄──
//
// What comes back is checked like any other hostile input: a worker may have been taken over by what it decoded.
package sandbox
