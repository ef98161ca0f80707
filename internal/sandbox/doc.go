// Package sandbox decodes pictures in worker processes, so that a crash, a hang or a hunger for memory in a codec costs
// one upload a retry and the moderator nothing.
//
// A worker is our own binary started again. Before its first picture it takes from itself what decoding does not need:
// memory beyond a limit, CPU time beyond a limit, files, the network, programs. It serves many pictures and is replaced
// after a while.
//
//	            shared memory: [ the file | the pixels ]
//	              ▲ writes       reads ▼   ▲ writes      reads ▼
//	parent ──► pipe: length of the file ──► worker: imaging.Decode
//	parent ◄── pipe: description or error ◄──
//
// One picture's way:
//
//	worker's end                                     what comes of the picture
//	answers with pixels, or with the file's fault    just that
//	died while idle                                  decoded in a fresh worker
//	dies, hangs, or answers what was not asked for   tried once more in a fresh worker
//	that one does so too                             imaging.ErrUndecodable, with how it ended
//	one was stopped, or killed by SIGKILL            ErrWorkersEnded: the caller tries again
//
// A decode is bounded by CPU time. The clock only tells a worker that hangs, which neither uses a CPU nor waits for one: a
// busy machine makes decoding slow and changes no result.
//
// What comes back is checked like any other hostile input: a worker may have been taken over by what it decoded.
package sandbox
