// Package sandbox decodes pictures in confined worker processes. A codec that crashes, hangs or allocates without end
// harms neither the moderator nor other uploads.
//
// A worker is another process of this binary. Before its first picture it limits its memory and CPU time, and gives up its
// access to files, the network and other programs. It decodes many pictures and is then replaced.
//
//	            shared memory: [ the file | the pixels ]
//	              ▲ writes       reads ▼   ▲ writes      reads ▼
//	parent ──► pipe: length of the file ──► worker: imaging.Decode
//	parent ◄── pipe: description or error ◄──
//
// How a decode can end:
//
//	the worker                                  the picture
//	answers with pixels or an error             has that result
//	died while idle                             is decoded by a new worker
//	dies, hangs, or gives an invalid answer     is tried once more by a new worker
//	the second one does so too                  imaging.ErrUndecodable, with how the worker ended
//	both ended, one by a stop or SIGKILL        ErrWorkersEnded: the caller tries again
//
// CPU time bounds a decode. The clock only detects a worker that hangs: one that neither uses a CPU nor waits for one. A
// busy machine therefore changes no result.
//
// Answers are checked like any hostile input, because a picture may have taken over the worker.
package sandbox
